//! The codes of the service's errors, explained.

use std::sync::LazyLock;

use super::words::nearest;

/// Codes, what they mean and what to do, one code on a line.
const TABLE: &str = include_str!("../../data/service_codes.tsv");

/// A code of the service's errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCode {
    /// The code, such as `IMG.0056`.
    pub code: &'static str,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// Codes of rules that foresee it, besides the rules that name it as their own `service_code`.
    pub foreseen_by: Vec<&'static str>,
}

impl ServiceCode {
    /// Every code of the service's documentation, in order.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<ServiceCode>> = LazyLock::new(|| rows().collect());
        &ALL
    }

    /// The code as people type it: in any case.
    ///
    /// # Errors
    ///
    /// The codes that come nearest, if there is none such.
    pub fn find(code: &str) -> Result<&'static Self, Vec<&'static str>> {
        let all = Self::all();
        let found = all.iter().find(|known| known.code.eq_ignore_ascii_case(code.trim()));
        found.ok_or_else(|| nearest(code, all.iter().map(|known| known.code), 1))
    }

    /// Whether a text is meant for a code of the service's: `IMG.nnnn`, with any mark in between or none.
    pub fn is_meant(text: &str) -> bool {
        let rest = text
            .trim()
            .get(3..)
            .filter(|_| text.trim().get(..3).is_some_and(|start| start.eq_ignore_ascii_case("IMG")));
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    }
}

fn rows() -> impl Iterator<Item = ServiceCode> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        Some(ServiceCode {
            code: columns.next()?,
            status: columns.next()?.parse().ok()?,
            meaning: columns.next()?,
            advice: columns.next()?,
            foreseen_by: columns.next()?.split(',').filter(|code| !code.is_empty()).collect(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_explains_one_code() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((ServiceCode::all().len(), lines), (179, 179));
        assert!(ServiceCode::all().windows(2).all(|pair| pair[0].code < pair[1].code));
        for known in ServiceCode::all() {
            let digits = known.code.strip_prefix("IMG.").unwrap();
            assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", known.code);
            assert!(known.meaning.ends_with('.') && known.advice.ends_with('.'), "{}", known.code);
            assert!([400, 403].contains(&known.status), "{}", known.code);
        }
    }

    #[test]
    fn codes_are_found_in_any_case_and_the_nearest_of_what_is_none() {
        for code in [
            "IMG.0009", "IMG.0015", "IMG.0058", "IMG.0060", "IMG.0121", "IMG.0194", "IMG.0238", "IMG.0239",
            "IMG.0241", "IMG.0242", "IMG.1075", "img.0159",
        ] {
            assert!(ServiceCode::find(code).is_ok(), "{code}");
        }
        assert_eq!(ServiceCode::find("IMG.9056"), Err(vec!["IMG.0056"]));
        for (text, meant) in [
            ("IMG.0056", true),
            ("img0056", true),
            ("IMG-56", true),
            ("IMS-001", false),
            ("IMGX", false),
            ("", false),
        ] {
            assert_eq!(ServiceCode::is_meant(text), meant, "{text}");
        }
    }
}
