//! Where the server may go for a preview: a link must not lead it to what only it can reach.
//!
//! How: [`Guard::check`] looks at an address as it is written, before the first request and before each redirect.
//! What a name stands for is looked up by the guard itself ([`Resolve`]), and only addresses that passed are
//! connected to: a name that means something else a moment later changes nothing.
//!
//! Invariants:
//! - Only HTTP and HTTPS, on the ports of the settings, without a name or password in the address.
//! - No connection but to a public address, or into a network that the settings name.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::net::lookup_host;

type Lookup = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// What names stand for, where a test says it in place of the system.
#[derive(Clone)]
struct Names(Arc<Lookup>);

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

/// Why an address is not gone to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither HTTP nor HTTPS.
    #[error("not http or https")]
    Scheme,
    /// With a name or a password in it.
    #[error("someone's name in the address")]
    Credentials,
    /// On another port.
    #[error("not a port for previews")]
    Port,
    /// Where only the server can reach.
    #[error("not a public address")]
    Private,
}

/// What decides.
#[derive(Debug, Clone)]
pub struct Guard {
    networks: Vec<IpNet>,
    ports: Vec<u16>,
    names: Option<Names>,
}

impl Guard {
    /// A guard that lets into these networks besides public addresses, on these ports.
    pub const fn new(networks: Vec<IpNet>, ports: Vec<u16>) -> Self {
        Self { networks, ports, names: None }
    }

    /// The same, for which names stand for what a test says.
    #[cfg(test)]
    pub fn naming(self, names: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self { names: Some(Names(Arc::new(names))), ..self }
    }

    /// Whether an address may be gone to, as far as it can be told from how it is written. Numbers in any form
    /// have become one in the `Url`.
    ///
    /// # Errors
    /// Says why not.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        if !url.port_or_known_default().is_some_and(|port| self.ports.contains(&port)) {
            return Err(Refusal::Port);
        }
        let host = url.host_str().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) if !self.lets(ip) => Err(Refusal::Private),
            _ => Ok(()),
        }
    }

    fn lets(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        is_public(ip) || self.networks.iter().any(|network| network.contains(&ip))
    }

    /// The addresses that a name stands for and that may be gone to.
    async fn addresses(
        &self,
        name: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found: Vec<IpAddr> = match &self.names {
            Some(Names(names)) => names(name),
            None => lookup_host((name, 0)).await?.map(|address| address.ip()).collect(),
        };
        let open: Vec<_> = found.into_iter().filter(|ip| self.lets(*ip)).collect();
        if open.is_empty() {
            return Err(Refusal::Private.into());
        }
        // The port is that of the address.
        Ok(open.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether it is an address of the internet that anyone can reach (the registries of RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

const fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Only what is given out to networks (2000::/3), and of that neither what is for protocols and examples nor
/// tunnels, in which another address is hidden. A translated IPv4 address (NAT64) is what it stands for.
const fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    if let (0x64, 0xff9b, 0, 0, 0, 0) = (a, b, c, d, e, f) {
        let ([g, g2], [h, h2]) = (g.to_be_bytes(), h.to_be_bytes());
        return is_public_v4(Ipv4Addr::new(g, g2, h, h2));
    }
    let given_out = a & 0xe000 == 0x2000;
    // Teredo and others; examples; 6to4; examples.
    let special = matches!((a, b), (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff));
    given_out && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(networks: &[&str]) -> Guard {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        Guard::new(networks, vec![80, 443])
    }

    fn check(guard: &Guard, url: &str) -> Result<(), Refusal> {
        guard.check(&url.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_are_gone_to() {
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!guard(&[]).lets(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2a00::1",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert!(guard(&[]).lets(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_network_of_the_settings_is_open_and_none_beside_it() {
        let guard = guard(&["10.1.0.0/16", "fd00::/8"]);
        for (url, answer) in [
            ("http://10.1.2.3/", Ok(())),
            ("http://[::ffff:10.1.2.3]/", Ok(())),
            ("https://[fd00::1]/", Ok(())),
            ("http://10.2.0.1/", Err(Refusal::Private)),
            ("http://[fc00::1]/", Err(Refusal::Private)),
        ] {
            assert_eq!(check(&guard, url), answer, "{url}");
        }
    }

    #[test]
    fn a_number_is_an_address_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://１２７.０.０.１/",
            "http://127%2e0.0.1/",
            "http://0/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "https://169.254.169.254/a",
        ] {
            assert_eq!(check(&guard(&[]), url), Err(Refusal::Private), "{url}");
        }
    }

    #[test]
    fn an_address_says_no_more_than_where() {
        for (url, answer) in [
            ("https://example.org/", Ok(())),
            ("http://example.org:443/", Ok(())),
            ("http://1.1.1.1/", Ok(())),
            ("http://example.org:22/", Err(Refusal::Port)),
            ("https://example.org:8443/", Err(Refusal::Port)),
            ("https://alice@example.org/", Err(Refusal::Credentials)),
            ("https://:secret@example.org/", Err(Refusal::Credentials)),
            ("ftp://example.org/", Err(Refusal::Scheme)),
            ("file:///etc/passwd", Err(Refusal::Scheme)),
            ("data:text/html,a", Err(Refusal::Scheme)),
        ] {
            assert_eq!(check(&guard(&[]), url), answer, "{url}");
        }
    }

    #[tokio::test]
    async fn of_a_name_only_what_passes_is_connected_to() {
        let of = |name: &str| -> Vec<IpAddr> {
            let all: &[&str] = match name {
                "mixed.example" => &["127.0.0.1", "1.1.1.1", "::1"],
                "inside.example" => &["10.0.0.1", "fd00::1"],
                _ => &[],
            };
            all.iter().map(|ip| ip.parse().unwrap()).collect()
        };
        let guard = Guard::new(Vec::new(), vec![80]).naming(of);
        let mixed = guard.addresses("mixed.example").await.unwrap();
        assert_eq!(mixed, ["1.1.1.1:0".parse().unwrap()]);
        for name in ["inside.example", "nowhere.example"] {
            let refused = guard.addresses(name).await.unwrap_err();
            assert_eq!(refused.downcast_ref(), Some(&Refusal::Private), "{name}");
        }
    }
}
