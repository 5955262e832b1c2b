//! An access token, as a person's client gets one: by the device flow.

use serde_json::{Value, json};

use super::connection::{Answer, Connection};

/// Signs in at the server with this authority and returns an access token.
pub async fn sign_in(authority: &str, login: &str, password: &str) -> Result<String, String> {
    let mut pages = Pages::open(authority).await?;
    let password = password.replace(' ', "+");
    let signed_in = pages.form("/sign-in", "", &format!("login={login}&password={password}")).await?;
    let cookie = signed_in.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.ok_or("signing in set no cookie")?.to_owned();
    let code = pages.json("/api/auth/device/code", &json!({ "client_name": "measurement" })).await?;
    let user_code = code["user_code"].as_str().unwrap_or_default().to_owned();
    let (path, header) = (format!("/device?code={user_code}"), format!("cookie: {cookie}\r\n"));
    let page = pages.send("GET", &path, &header, "").await?;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let form_token =
        page.split("name=\"form_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let form_token = form_token.ok_or_else(|| format!("the page has no form: {page}"))?;
    let decision = format!("code={user_code}&decision=approve&form_token={form_token}");
    pages.form("/device", &cookie, &decision).await?;
    let grant = json!({ "grant_type": "device_code", "device_code": code["device_code"] });
    let tokens = pages.json("/api/auth/token", &grant).await?;
    let token = tokens["access_token"].as_str().ok_or_else(|| format!("no token came: {tokens}"))?;
    Ok(token.to_owned())
}

struct Pages<'a> {
    authority: &'a str,
    connection: Connection,
}

impl<'a> Pages<'a> {
    async fn open(authority: &'a str) -> Result<Self, String> {
        let connection = Connection::open(authority).await.map_err(|error| error.to_string())?;
        Ok(Self { authority, connection })
    }

    async fn form(&mut self, path: &str, cookie: &str, fields: &str) -> Result<Answer, String> {
        let authority = self.authority;
        let headers = format!(
            "content-type: application/x-www-form-urlencoded\r\norigin: http://{authority}\r\ncookie: {cookie}\r\n"
        );
        self.send("POST", path, &headers, fields).await
    }

    async fn json(&mut self, path: &str, body: &Value) -> Result<Value, String> {
        let answer = self.send("POST", path, "content-type: application/json\r\n", &body.to_string()).await?;
        serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))
    }

    async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer, String> {
        let (authority, length) = (self.authority, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        let answer = self.connection.ask(request.as_bytes(), |_| {}).await;
        let answer = answer.map_err(|error| format!("{path}: {error}"))?;
        if answer.status >= 400 {
            return Err(format!(
                "{path}: status {}\n{}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            ));
        }
        Ok(answer)
    }
}
