//! Where a provider key may be aimed over HTTP: outside. Whoever has an administrator's session is not thereby on the server's
//! network, and could otherwise ask what only the server can reach, in its name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use crate::error::ApiError;

/// How long the name of a host may take to be found.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses a base URL whose host is, or has among its addresses, one that is not of the public internet.
pub(super) async fn check(base_url: &str) -> Result<(), ApiError> {
    let url: Url = base_url.parse().map_err(|error| ApiError::invalid(format!("base URL: {error}")))?;
    let addresses: Vec<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) => {
            let port = url.port_or_known_default().unwrap_or(443);
            match timeout(PATIENCE, lookup_host((name, port))).await {
                Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
                Ok(Err(_)) | Err(_) => Vec::new(),
            }
        }
        None => Vec::new(),
    };
    // What has no address now may have an inner one when it is asked.
    if addresses.is_empty() {
        return Err(refused("no address is known for its host"));
    }
    match addresses.into_iter().all(is_public) {
        true => Ok(()),
        false => Err(refused("its host is inside a private network, or this machine")),
    }
}

fn refused(why: &str) -> ApiError {
    ApiError::invalid(format!(
        "the base URL is not taken over HTTP: {why}. Nothing was stored. `plantocode-server keys add` on the machine takes it, \
         and so does this with `private_over_http` in the configuration"
    ))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // "This network"; shared by providers with their customers, where some clouds keep metadata; protocols; benchmarks.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        // Multicast, reserved, broadcast.
        || a >= 224;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |high: u16, low: u16| {
        let [a, b, c, d] = [high.to_be_bytes(), low.to_be_bytes()].concat()[..] else { return false };
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Addresses of the other kind, mapped or translated (NAT64, 6to4).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => within(high, low),
        [0x2002, high, low, ..] => within(high, low),
        // Teredo, whose addresses are hidden; documentation.
        [0x2001, 0, ..] | [0x2001, 0xdb8, ..] => false,
        // Everything else that is routed.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_private_networks_are_known_in_every_form() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "::7f00:1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn every_spelling_of_a_host_is_looked_at() {
        for inside in [
            "http://127.0.0.1:8080/v1",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://localhost/v1",
            "http://169.254.169.254/latest",
            "http://[::ffff:a00:1]/",
            "http://nobody.invalid/",
        ] {
            assert!(check(inside).await.is_err(), "{inside}");
        }
        assert!(check("https://1.1.1.1/v1").await.is_ok());
    }
}
