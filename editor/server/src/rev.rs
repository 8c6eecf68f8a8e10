//! The revision of flows: what Node-RED makes of them, so that its tools and ours agree.

use crate::tokens::hex;
use sha2::{Digest, Sha256};
use vgdc_value::{Value, json};

/// JavaScript's `JSON.stringify` of a value that came from JSON.
///
/// # Errors
/// It is nested too deeply.
pub(crate) fn stringify(value: &Value) -> Result<String, String> {
    let text = json::stringify(value, 0).map_err(|e| e.to_string())?;
    Ok(text.unwrap_or_default())
}

/// The revision of flows of which this is the JSON.
pub(crate) fn rev(json: &str) -> String {
    hex(&Sha256::digest(json.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_node_reds() {
        // (what Node.js says of the same text)
        let value = json::parse(r#"[{"b":1.50,"10":"x","2":[1e21,-0,1e-7,"é"],"id":"a"}]"#)
            .expect("it is JSON");
        let text = stringify(&value).expect("it is shallow");
        assert_eq!(
            text,
            r#"[{"2":[1e+21,0,1e-7,"é"],"10":"x","b":1.5,"id":"a"}]"#
        );
        assert_eq!(
            rev("[]"),
            "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
        );
    }
}
