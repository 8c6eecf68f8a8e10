//! The broker that links go over, where they go over one: what the plan says of it, and who the environment says one is.

use vgdc_link::Endpoint;
use vgdc_plan::{MeshPart, Nats};

/// Has the links of this part go over its broker.
///
/// # Errors
/// The program was made without that, or the environment contradicts itself.
#[cfg(feature = "nats")]
pub fn connect(endpoint: &Endpoint, part: &MeshPart, nats: &Nats) -> Result<(), String> {
    endpoint.through_nats(config(part, nats, &|name| std::env::var(name).ok())?);
    Ok(())
}

/// As above.
///
/// # Errors
/// Always.
#[cfg(not(feature = "nats"))]
pub fn connect(_: &Endpoint, part: &MeshPart, _: &Nats) -> Result<(), String> {
    Err(format!(
        "the links of {} go over NATS, and this program was made without that\n  build its runner with it, and the part again: \
         cargo build --release -p vgdc-runner --features nats",
        part.node
    ))
}

#[cfg(feature = "nats")]
fn config(
    part: &MeshPart,
    nats: &Nats,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<vgdc_link::NatsConfig, String> {
    use vgdc_link::NatsCredentials;
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let file = variable("VGDC_NATS_CREDENTIALS").or_else(|| nats.credentials.clone());
    let token = variable("VGDC_NATS_TOKEN");
    let password = (variable("VGDC_NATS_USER"), variable("VGDC_NATS_PASSWORD"));
    let credentials = match (token, password) {
        (None, (None, None)) => file.map_or(NatsCredentials::None, |file| {
            NatsCredentials::File(file.into())
        }),
        (Some(token), (None, None)) => NatsCredentials::Token(token),
        (None, (Some(user), Some(password))) => NatsCredentials::Password(user, password),
        (Some(_), _) => {
            return Err("VGDC_NATS_TOKEN and VGDC_NATS_USER are both set: take one".to_owned());
        }
        (None, _) => {
            return Err("VGDC_NATS_USER and VGDC_NATS_PASSWORD belong together".to_owned());
        }
    };
    let own = |(certificate, key): &(String, String)| (certificate.into(), key.into());
    Ok(vgdc_link::NatsConfig {
        servers: nats.servers.clone(),
        mesh: part.mesh.clone(),
        replicas: nats.replicas.into(),
        credentials,
        // (who names certificates does not want to do without)
        tls: nats.ca.is_some() || nats.certificate.is_some(),
        ca: nats.ca.as_ref().map(Into::into),
        certificate: nats.certificate.as_ref().map(own),
    })
}

#[cfg(all(test, feature = "nats"))]
mod tests {
    use super::*;
    use vgdc_link::NatsCredentials;

    fn read(variables: &[(&str, &str)]) -> Result<NatsCredentials, String> {
        let nats = Nats {
            credentials: Some("a.creds".to_owned()),
            ..Nats::default()
        };
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        config(&MeshPart::default(), &nats, &variable).map(|config| config.credentials)
    }

    #[test]
    fn the_environment_says_who_one_is() {
        assert!(matches!(read(&[]), Ok(NatsCredentials::File(file)) if file.ends_with("a.creds")));
        let other = read(&[("VGDC_NATS_CREDENTIALS", "b.creds")]);
        assert!(matches!(other, Ok(NatsCredentials::File(file)) if file.ends_with("b.creds")));
        let token = read(&[("VGDC_NATS_TOKEN", "t")]);
        assert!(matches!(token, Ok(NatsCredentials::Token(token)) if token == "t"));
        let both = read(&[("VGDC_NATS_USER", "u"), ("VGDC_NATS_PASSWORD", "p")]);
        assert!(matches!(both, Ok(NatsCredentials::Password(..))));
        assert!(read(&[("VGDC_NATS_USER", "u")]).is_err());
        let all = [
            ("VGDC_NATS_USER", "u"),
            ("VGDC_NATS_PASSWORD", "p"),
            ("VGDC_NATS_TOKEN", "t"),
        ];
        assert!(read(&all).is_err());
    }
}
