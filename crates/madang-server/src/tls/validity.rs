//! From when until when a certificate is valid: the one thing of X.509 that rustls does not tell a server
//! of its own certificate. A walk over DER (X.690) to `tbsCertificate.validity` (RFC 5280, 4.1).

use madang_proto::Timestamp;

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The dates of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

impl Validity {
    /// The dates of a certificate in DER; none when it is not one.
    pub fn of(der: &[u8]) -> Option<Self> {
        let mut certificate = Reader(Reader(der).take(SEQUENCE)?);
        let mut body = Reader(certificate.take(SEQUENCE)?);
        if body.0.first() == Some(&VERSION) {
            body.take(VERSION)?;
        }
        body.take(INTEGER)?; // serial number
        body.take(SEQUENCE)?; // algorithm
        body.take(SEQUENCE)?; // issuer
        let mut dates = Reader(body.take(SEQUENCE)?);
        Some(Self { from: dates.time()?, until: dates.time()? })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, which has to have this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }

    /// `YYMMDDHHMMSSZ` (1950 to 2049) or `YYYYMMDDHHMMSSZ`.
    fn time(&mut self) -> Option<Timestamp> {
        let tag = *self.0.first()?;
        let text = std::str::from_utf8(self.take(tag)?).ok()?;
        let digits = text.strip_suffix('Z').filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
        let digits = match (tag, digits.len()) {
            (UTC_TIME, 12) => format!("{}{digits}", if *digits < *"50" { "20" } else { "19" }),
            (GENERALIZED_TIME, 14) => digits.to_owned(),
            _ => return None,
        };
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        let (date, time) = (
            [part(0, 4), part(4, 6), part(6, 8)].join("-"),
            [part(8, 10), part(10, 12), part(12, 14)].join(":"),
        );
        format!("{date}T{time}Z").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(from: (i32, u8), until: (i32, u8)) -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(from.0, from.1, 2);
        parameters.not_after = rcgen::date_time_ymd(until.0, until.1, 3);
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn dates_of_both_forms_are_read() {
        let wanted = |from: &str, until: &str| {
            Some(Validity { from: from.parse().unwrap(), until: until.parse().unwrap() })
        };
        let short = certificate((1999, 12), (2049, 1));
        assert_eq!(Validity::of(&short), wanted("1999-12-02T00:00:00Z", "2049-01-03T00:00:00Z"));
        let long = certificate((2050, 2), (4096, 11));
        assert_eq!(Validity::of(&long), wanted("2050-02-02T00:00:00Z", "4096-11-03T00:00:00Z"));
    }

    #[test]
    fn what_is_cut_off_or_no_certificate_has_no_dates() {
        let whole = certificate((2020, 1), (2030, 1));
        for cut in 0..whole.len() {
            assert_eq!(Validity::of(&whole[..cut]), None, "the first {cut} bytes");
        }
        for other in
            [&b"-----BEGIN CERTIFICATE-----"[..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80]]
        {
            assert_eq!(Validity::of(other), None, "{other:?}");
        }
    }
}
