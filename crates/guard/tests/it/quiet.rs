//! What is left alone: placeholders, references, names, digests, ids.

use crate::corpus::{Random, samples};
use crate::guard;

#[test]
fn placeholders_of_every_form_are_left_alone() {
    let guard = guard();
    for text in [
        "password = \"changeme\"",
        "password: \"your-password-here\"",
        "API_KEY=<your-key>",
        "token = \"${TOKEN}\"",
        "secret: ${{ secrets.DEPLOY_SECRET }}",
        "apiKey: process.env.API_KEY",
        "token = os.environ[\"TOKEN\"]",
        "api_key = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "password = \"{{ vault.password }}\"",
        "secret = \"****************\"",
        "token = \"the_name_of_a_field\"",
        "api_key: \"YOUR_API_KEY_GOES_HERE\"",
        "password = getpass.getpass()",
        "DATABASE_URL=postgres://postgres:postgres@localhost/app",
        "DATABASE_URL=postgres://user:${PASSWORD}@db/app",
        "fn sk_live_or_test(mode: Mode) -> bool",
        "-----BEGIN PUBLIC KEY-----",
        "\"-----BEGIN PRIVATE KEY-----\"",
        "\"tokenizer.model.path\": \"models/tokenizer.json\"",
        "https://user:password@example.com/",
        "xoxb-your-token-here",
        "let token = parser.next_token(TokenKind::Identifier, 12345);",
        "const TOKEN_TYPE = \"urn:ietf:params:oauth:token\"",
        "max_tokens: 4096",
        "csrf_token = \"a8Fk39dLq02MxPz7RtYw\"",
        "curl -u user:password http://localhost",
        "Authorization: Bearer <token>",
        "Authorization: Bearer $TOKEN",
        "--password \"$PASSWORD\"",
        "AKIAIOSFODNN7EXAMPLE",
        "password: \"please enter a new password\"",
        "secret: \"the secret is too long\"",
        "api_key: name of the header\n",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----",
        "`-----BEGIN PRIVATE KEY-----\n` + body(key)",
        "https://user:password@proxy.example.com/",
        "https://user:password@localhost:3128",
        "struct A {\n    secret: Zeroizing<PayloadU8>,\n}",
    ] {
        assert_eq!(guard.scan(text), [], "{text}");
    }
}

#[test]
fn a_form_filled_with_one_sign_is_a_placeholder() {
    let guard = guard();
    for sample in samples(1).iter().filter(|sample| sample.is_bare()) {
        // The head of a token stays; everything after its first mark becomes one letter.
        let Some(head) = sample.secret.find(['_', '-', '.']).filter(|at| *at < 12) else { continue };
        let text: String = sample
            .secret
            .char_indices()
            .map(|(at, c)| if at > head && c.is_alphanumeric() { 'x' } else { c })
            .collect();
        let secrets: Vec<_> =
            guard.scan(&text).into_iter().filter(|finding| finding.class != "stand-in").collect();
        assert_eq!(secrets, [], "{text}");
    }
}

#[test]
fn digests_ids_and_data_are_left_alone() {
    let guard = guard();
    let mut random = Random::new(5);
    for _ in 0..200 {
        let hex = |random: &mut Random, count| random.of("0123456789abcdef", count);
        let base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (sha1, sha256, uuid) = (hex(&mut random, 40), hex(&mut random, 64), hex(&mut random, 12));
        let text = format!(
            "commit {sha1}\nsha256 = \"{sha256}\"\nchecksum = \"{sha256}\"\nrev: {sha1}\nid: 9f2c1a7e-3b44-4c1d-8e21-{uuid}\n\
             \"integrity\": \"sha512-{}==\"\nimage = \"data:image/png;base64,{}\"\nuses: actions/checkout@{sha1}\n\
             etag: W/\"{}\"\n{}\n[\"{}=\", \"{}\", \"{}==\"]\nconst SK{}: u128 = 0xAC{};\n",
            random.of(base64, 86),
            random.of(base64, 4000),
            hex(&mut random, 32),
            random.of("0123456789", 16),
            // Digests of 32, 48 and 64 bytes.
            random.of(base64, 43),
            random.of(base64, 64),
            random.of(base64, 86),
            "0".repeat(32),
            "f".repeat(32),
        );
        assert_eq!(guard.scan(&text), [], "{text}");
    }
}

#[test]
fn minified_program_text_is_left_alone() {
    let text = "!function(e,t){var n=e.token,r=t.secret||{};n&&(r.key=n.length>16?n.slice(0,16):n),e.password=function(){return\
                r.passwd=o(n,\"passwordField\"),a.apiKey=u.apiKey||\"\"},t.authToken=e(\"tokenHandler\")}(a,b);";
    assert_eq!(guard().scan(&text.repeat(50)), []);
}

#[test]
fn numbers_of_persons_need_their_check_digits_and_a_context() {
    let guard = guard();
    for sample in samples(4).iter().filter(|sample| ["bank-card", "iban"].contains(&sample.rule.as_str())) {
        assert_eq!(guard.scan(&format!("id {}", sample.secret)), [], "no context");
        let last = sample.secret.chars().last().unwrap().to_digit(10).unwrap();
        let wrong =
            format!("{}{}{}", sample.before, &sample.secret[..sample.secret.len() - 1], (last + 1) % 10);
        assert_eq!(guard.scan(&wrong), [], "{wrong}");
        assert_eq!(guard.scan(&sample.whole())[0].class, "pii");
    }
}
