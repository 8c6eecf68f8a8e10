//! Where traces go and how many there are: the options, and OpenTelemetry's variables where they say nothing.

/// The share of messages that are followed where nothing is said.
pub const SHARE: f64 = 0.01;

/// Where spans are sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Where {
    /// To this address, with its path.
    Named(String),
    /// Where the variables say (`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`).
    Variables,
}

/// What is to be traced.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOptions {
    /// Where spans are sent.
    pub place: Where,
    /// The share of messages that are followed.
    pub share: f64,
    /// Whether a variable gives the service's name.
    pub has_name: bool,
}

impl TraceOptions {
    /// What options and variables say; `None`: no traces are wanted.
    ///
    /// # Errors
    /// A variable that cannot be used.
    pub fn read(
        url: Option<&str>,
        share: Option<f64>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<TraceOptions>, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let named = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let off = variable("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter != "otlp")
            || variable("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
        let place = match (url, named) {
            (Some(url), _) => Where::Named(format!("{}/v1/traces", url.trim_end_matches('/'))),
            (None, Some(url)) if !off => {
                if !url.trim().starts_with("http://") {
                    return Err(format!(
                        "OTEL_EXPORTER_OTLP_ENDPOINT={url}: expected an address such as http://127.0.0.1:4318"
                    ));
                }
                Where::Variables
            }
            _ => return Ok(None),
        };
        let share = match share {
            Some(share) => share,
            None => sampler(&variable)?,
        };
        let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let is_name = |pair: &str| pair.trim_start().starts_with("service.name=");
        let has_name =
            variable("OTEL_SERVICE_NAME").is_some() || attributes.split(',').any(is_name);
        Ok(Some(TraceOptions {
            place,
            share,
            has_name,
        }))
    }
}

/// The share that the variables give.
fn sampler(variable: &dyn Fn(&str) -> Option<String>) -> Result<f64, String> {
    let sampler = variable("OTEL_TRACES_SAMPLER").unwrap_or_default();
    match sampler.trim_start_matches("parentbased_") {
        "always_on" => return Ok(1.0),
        "always_off" => return Ok(0.0),
        _ => {}
    }
    match variable("OTEL_TRACES_SAMPLER_ARG") {
        None => Ok(SHARE),
        Some(text) => share(&text).ok_or_else(|| {
            format!("OTEL_TRACES_SAMPLER_ARG={text}: expected a share from 0 to 1, such as 0.01")
        }),
    }
}

/// A share of messages.
pub fn share(text: &str) -> Option<f64> {
    let share: f64 = text.trim().parse().ok()?;
    (0.0..=1.0).contains(&share).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        url: Option<&str>,
        share: Option<f64>,
        variables: &[(&str, &str)],
    ) -> Result<Option<TraceOptions>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        TraceOptions::read(url, share, &variable)
    }

    #[test]
    fn without_an_address_there_are_no_traces() {
        assert_eq!(read(None, Some(1.0), &[]), Ok(None));
        let off = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"),
            ("OTEL_SDK_DISABLED", "true"),
        ];
        assert_eq!(read(None, None, &off), Ok(None));
    }

    #[test]
    fn the_option_wins() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
            ("OTEL_SERVICE_NAME", "plant"),
        ];
        let wanted = |place, share, has_name| {
            let has = TraceOptions {
                place,
                share,
                has_name,
            };
            Ok(Some(has))
        };
        let named = Where::Named("http://b:2/v1/traces".to_owned());
        let both = read(Some("http://b:2/"), Some(0.1), &variables);
        assert_eq!(both, wanted(named.clone(), 0.1, true));
        assert_eq!(
            read(None, None, &variables),
            wanted(Where::Variables, 0.5, true)
        );
        assert_eq!(
            read(Some("http://b:2"), None, &[]),
            wanted(named, SHARE, false)
        );
        let always = [("OTEL_TRACES_SAMPLER", "parentbased_always_on")];
        let all = read(Some("http://b:2"), None, &always).map(|all| all.map(|all| all.share));
        assert_eq!(all, Ok(Some(1.0)));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let bad = read(None, None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")]);
        assert!(
            bad.expect_err("no address")
                .contains("http://127.0.0.1:4318")
        );
        let bad = read(Some("http://b"), None, &[("OTEL_TRACES_SAMPLER_ARG", "2")]);
        assert!(bad.expect_err("no share").contains("from 0 to 1"));
    }
}
