//! One secret per rule, put together at run time: nothing that looks like a key stands in the repository.

/// A made-up secret and what stands around it.
pub struct Sample {
    pub rule: &'static str,
    pub before: String,
    pub secret: String,
    pub after: String,
}

/// `count` characters out of `alphabet`, always the same, without short periods.
fn made_of(alphabet: &str, count: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        alphabet[(state >> 33) as usize % alphabet.len()]
    };
    (0..count).map(|_| next()).collect()
}

pub fn letters(count: usize) -> String {
    made_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", count)
}

fn mixed(count: usize) -> String {
    made_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count)
}

fn hex(count: usize) -> String {
    made_of("0123456789abcdef", count)
}

fn digits(count: usize) -> String {
    made_of("0123456789", count)
}

fn pem(kind: &str, end: &str) -> String {
    format!("-----BEGIN {kind}PRIVATE KEY-----{end}{}{end}-----END {kind}PRIVATE KEY-----", mixed(120))
}

pub fn samples() -> Vec<Sample> {
    let plain = |rule, parts: &[&str]| Sample {
        rule,
        before: "key = ".into(),
        secret: parts.concat(),
        after: " # end".into(),
    };
    let within = |rule, before: &str, secret: String, after: &str| Sample {
        rule,
        before: before.into(),
        secret,
        after: after.into(),
    };
    let upper = made_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
    vec![
        plain("aws-access-key-id", &["AK", "IA", &upper]),
        within("aws-secret-access-key", "aws_secret_access_key = ", mixed(40), "\n"),
        plain("github-token", &["gh", "p_", &mixed(36)]),
        plain("github-fine-grained-token", &["github", "_pat_", &mixed(22), "_", &mixed(59)]),
        plain("gitlab-token", &["gl", "pat-", &mixed(20)]),
        plain("slack-token", &["xo", "xb-", &digits(12), "-", &mixed(24)]),
        plain(
            "slack-webhook",
            &["https://hooks.", "slack.com/services/T", &mixed(8), "/B", &mixed(8), "/", &mixed(24)],
        ),
        plain("stripe-key", &["sk", "_live_", &mixed(24)]),
        plain("stripe-webhook-secret", &["wh", "sec_", &mixed(32)]),
        plain("openai-key", &["s", "k-proj-", &mixed(80)]),
        plain("anthropic-key", &["sk-", "ant-api03-", &mixed(90)]),
        plain("google-api-key", &["AI", "za", &mixed(35)]),
        plain("google-oauth-secret", &["GO", "CSPX-", &mixed(28)]),
        within("gcp-service-account", "\"private_key\": \"", pem("", "\\n"), "\""),
        within("private-key", "", pem("RSA ", "\n"), ""),
        plain("npm-token", &["np", "m_", &mixed(36)]),
        plain("pypi-token", &["py", "pi-AgEIcHlwaS5vcmc", &mixed(60)]),
        plain("cargo-registry-token", &["ci", "o", &mixed(32)]),
        plain("json-web-token", &["ey", "J", &mixed(20), ".ey", "J", &mixed(40), ".", &mixed(43)]),
        within("connection-string", "postgres://app:", mixed(12), "@db.internal:5432/app"),
        within("url-credentials", "https://deploy:", mixed(16), "@registry.internal/x"),
        plain("twilio-key", &["S", "K", &hex(32)]),
        plain("sendgrid-key", &["S", "G.", &mixed(22), ".", &mixed(43)]),
        within("mailgun-key", "mailgun: ", format!("{}{}", "key-", hex(32)), ""),
        within("mailchimp-key", "mailchimp: ", format!("{}{}", hex(32), "-us12"), ""),
        plain("digitalocean-token", &["do", "p_v1_", &hex(64)]),
        plain("heroku-key", &["HR", "KU-", &mixed(60)]),
        plain("hugging-face-token", &["h", "f_", &letters(34)]),
        plain("groq-key", &["gs", "k_", &mixed(52)]),
        plain("openrouter-key", &["sk-", "or-v1-", &hex(64)]),
        plain("xai-key", &["xa", "i-", &mixed(80)]),
        within("discord-token", "discord = ", format!("M{}.{}.{}", mixed(25), mixed(6), mixed(30)), " "),
        plain("discord-webhook", &["https://", "discord.com/api/webhooks/", &digits(18), "/", &mixed(68)]),
        plain("telegram-bot-token", &[&digits(10), ":A", "A", &mixed(33)]),
        plain("shopify-token", &["shp", "at_", &hex(32)]),
        plain("square-token", &["sq0", "atp-", &mixed(22)]),
        within("azure-storage-key", "AccountKey=", format!("{}==", mixed(86)), ";"),
        plain("databricks-token", &["da", "pi", &hex(32)]),
        plain("vault-token", &["hv", "s.", &mixed(24)]),
        plain("doppler-token", &["d", "p.pt.", &mixed(43)]),
        plain("linear-key", &["lin", "_api_", &mixed(40)]),
        plain("notion-token", &["nt", "n_", &digits(11), &mixed(35)]),
        within("cloudflare-token", "cloudflare_api_token = ", mixed(40), ""),
        within("datadog-key", "DD_API_KEY=", hex(32), ""),
        within("generic-secret", "client_secret = \"", mixed(32), "\""),
    ]
}
