//! The two doors of a verification: the JSON API for back ends and the forms of the pages.

use crate::client::{Client, FORM, JSON};

#[derive(Clone, Copy)]
pub(crate) enum Door {
    Api,
    Form,
}

impl Door {
    /// Begins a verification; gives its id.
    pub(crate) async fn create(self, client: &mut Client, to: &str) -> String {
        let (id, answer) = match self {
            Self::Api => {
                let body = format!(r#"{{"to":"{to}"}}"#);
                let answer = client.post("/v1/verifications", JSON, &body).await;
                (answer.location.rsplit('/').next().map(str::to_owned), answer)
            }
            Self::Form => {
                let form = format!("channel=email&email={}", to.replace('@', "%40"));
                let answer = client.post("/", FORM, &form).await;
                (answer.location.strip_prefix("/v/").map(str::to_owned), answer)
            }
        };
        let id = id.filter(|id| !id.is_empty());
        id.unwrap_or_else(|| panic!("not begun: {} {}", answer.status, answer.body))
    }

    /// Checks a code, which has to be found right or wrong.
    pub(crate) async fn check(self, client: &mut Client, id: &str, code: &str, is_right: bool) {
        let (is_expected, answer) = match self {
            Self::Api => {
                let (path, body) =
                    (format!("/v1/verifications/{id}/checks"), format!(r#"{{"code":"{code}"}}"#));
                let answer = client.post(&path, JSON, &body).await;
                let result = if is_right { "approved" } else { "incorrect" };
                (answer.body.starts_with(&format!(r#"{{"result":"{result}""#)), answer)
            }
            Self::Form => {
                let (path, body) = (format!("/v/{id}/check"), format!("code={code}"));
                let answer = client.post(&path, FORM, &body).await;
                let result = if is_right { "" } else { "?e=incorrect" };
                (answer.location == format!("/v/{id}{result}"), answer)
            }
        };
        assert!(is_expected, "checked otherwise: {} {}", answer.status, answer.body);
    }

    /// Checks a wrong code, then the right one.
    pub(crate) async fn check_both(self, client: &mut Client, id: &str, right: &str) {
        let zeros = "0".repeat(right.len());
        let wrong = if right == zeros { zeros.replacen('0', "1", 1) } else { zeros };
        self.check(client, id, &wrong, false).await;
        self.check(client, id, right, true).await;
    }
}
