//! `GET /openapi.json`: every endpoint of this server. A test compares the document with the routes, in both directions, and
//! schemathesis asks the server everything in it.

mod administration;
mod operations;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::state::State;

pub(crate) async fn openapi(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=300")).json(document(state.origin()))
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    /// A person who is signed in, or a token for programs.
    Token,
    /// A person who is signed in with a client.
    Person,
    /// A browser that is signed in on the pages.
    Browser,
}

/// What is said of an endpoint.
pub(super) struct Operation {
    method: &'static str,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
    who: Who,
    parameters: Vec<Value>,
    body: Option<Value>,
    replies: Map<String, Value>,
}

impl Operation {
    pub fn new(method: &'static str, path: &'static str, tag: &'static str, summary: &'static str) -> Self {
        let (who, parameters) = (Who::Anybody, Vec::new());
        Self { method, path, tag, summary, who, parameters, body: None, replies: Map::new() }
    }

    pub fn for_(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    pub fn query(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("query", name, false, schema, description)
    }

    pub fn path_part(self, name: &str, description: &str) -> Self {
        self.parameter("path", name, true, json!({ "type": "string", "minLength": 1 }), description)
    }

    pub fn header(self, name: &str, description: &str) -> Self {
        self.parameter("header", name, false, json!({ "type": "string" }), description)
    }

    fn parameter(
        mut self,
        place: &str,
        name: &str,
        required: bool,
        schema: Value,
        description: &str,
    ) -> Self {
        self.parameters.push(json!({
            "in": place, "name": name, "required": required, "schema": schema, "description": description,
        }));
        self
    }

    pub fn takes(mut self, media_type: &str, schema: Value, example: Value) -> Self {
        self.body = Some(
            json!({ "required": true, "content": { media_type: { "schema": schema, "example": example } } }),
        );
        self
    }

    pub fn takes_json(self, schema: Value, example: Value) -> Self {
        self.takes("application/json", schema, example)
    }

    /// A form, whose recording is binary.
    pub fn takes_form(mut self, schema: Value) -> Self {
        self.body =
            Some(json!({ "required": true, "content": { "multipart/form-data": { "schema": schema } } }));
        self
    }

    pub fn gives(mut self, status: u16, media_type: &str, schema: Value, description: &str) -> Self {
        let status = status.to_string();
        let reply = self
            .replies
            .entry(status)
            .or_insert_with(|| json!({ "description": description, "content": {} }));
        reply["content"][media_type] = json!({ "schema": schema });
        self
    }

    pub fn gives_json(self, schema: Value, description: &str) -> Self {
        self.gives(200, "application/json", schema, description)
    }

    pub fn gives_page(self) -> Self {
        self.gives(200, "text/html", json!({ "type": "string" }), "A page")
    }

    /// Without a body.
    pub fn ends(mut self, status: u16, description: &str) -> Self {
        self.replies.insert(status.to_string(), json!({ "description": description }));
        self
    }

    fn value(self) -> Value {
        let mut replies = self.replies;
        replies.insert("default".into(), json!({ "$ref": "#/components/responses/Error" }));
        let security = match self.who {
            Who::Anybody => json!([]),
            Who::Token => json!([{ "token": [] }, { "signIn": [] }]),
            Who::Person => json!([{ "signIn": [] }]),
            Who::Browser => json!([{ "session": [] }]),
        };
        let mut value = json!({
            "tags": [self.tag], "summary": self.summary, "operationId": id(self.method, self.path),
            "security": security, "responses": replies,
        });
        if !self.parameters.is_empty() {
            value["parameters"] = self.parameters.into();
        }
        if let Some(body) = self.body {
            value["requestBody"] = body;
        }
        value
    }
}

/// A name for programs: `post_v1_chat_completions`.
fn id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = std::iter::once(method).chain(words).collect();
    words.join("_")
}

/// The document.
fn document(origin: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations::all() {
        let (method, path) = (operation.method, operation.path);
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation.value();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "PlanToCode server",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
            "description": "One door to every model. Bodies in the dialects of OpenAI and Anthropic are those of their own documents; \
                what is said of them here is what this server looks at. Every reply carries `x-request-id`; replies and refusals of \
                models carry `x-plantocode-audit`, the position of their record.",
        },
        "servers": [{ "url": origin }],
        "tags": operations::TAGS.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "signIn": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "An access token of a person, from `/api/auth/token`" },
                "token": { "type": "http", "scheme": "bearer", "description": "A token for programs, from `/api/tokens`" },
                "session": { "type": "apiKey", "in": "cookie", "name": "plantocode_session",
                    "description": "A browser that has signed in on `/sign-in`" },
            },
            "responses": {
                "Error": {
                    "description": "Why not: a stable code and a sentence, in the dialect of the endpoint",
                    "content": { "application/json": { "schema": { "oneOf": [
                        { "$ref": "#/components/schemas/Error" },
                        { "$ref": "#/components/schemas/MessagesError" },
                        { "$ref": "#/components/schemas/OAuthError" },
                    ] } } },
                },
            },
            "schemas": operations::schemas(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// `.route("PATH", web::METHOD()` of the list of endpoints.
    fn routes() -> BTreeSet<(String, String)> {
        let source = include_str!("../mod.rs");
        let calls: Vec<&str> = source.split(".route(").skip(1).collect();
        assert!(calls.len() > 50, "the list of routes is read");
        let routes = calls.iter().map(|call| {
            let path = call.split('"').nth(1).unwrap();
            let method = call.split("web::").nth(1).unwrap().split('(').next().unwrap();
            // actix writes what a part matches into its name.
            (method.to_owned(), path.replace(":.*}", "}"))
        });
        routes.collect()
    }

    #[test]
    fn the_document_has_every_route_and_every_route_is_in_it() {
        let document = document("https://models.example");
        let mut documented = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            documented
                .extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
        }
        let routes = routes();
        assert_eq!(
            routes.difference(&documented).collect::<Vec<_>>(),
            Vec::<&(String, String)>::new(),
            "not documented"
        );
        assert_eq!(
            documented.difference(&routes).collect::<Vec<_>>(),
            Vec::<&(String, String)>::new(),
            "not there"
        );
        // Routes are registered nowhere else.
        let server = include_str!("../../server.rs");
        assert!(!server.contains(".route(") && !server.contains(".service("));
        assert_eq!(server.matches(".configure(").count(), 1);
    }

    #[test]
    fn each_operation_has_a_name_of_its_own_and_says_what_it_needs() {
        let document = document("https://models.example");
        let mut names = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(
                    names.insert(operation["operationId"].as_str().unwrap().to_owned()),
                    "{method} {path}"
                );
                let parts: BTreeSet<&str> =
                    path.split('{').skip(1).map(|part| part.split('}').next().unwrap()).collect();
                let told = operation["parameters"].as_array().cloned().unwrap_or_default();
                let told: Vec<_> = told.iter().filter(|parameter| parameter["in"] == "path").collect();
                let told: BTreeSet<&str> =
                    told.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
                assert_eq!(parts, told, "{method} {path}");
                assert!(
                    operation["responses"].as_object().unwrap().len() > 1,
                    "{method} {path} gives nothing"
                );
            }
        }
    }
}
