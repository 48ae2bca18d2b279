//! Values as HCL, the language of Terraform and Packer.

use std::fmt;

/// A value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HclValue {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// Strings by name.
    Map(Vec<(String, String)>),
}

impl fmt::Display for HclValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Map(members) => {
                let names = members.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>();
                let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
                f.write_str("{\n")?;
                for (name, (_, value)) in names.iter().zip(members) {
                    writeln!(f, "  {name:width$} = {}", quoted(value))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A string literal that evaluates to `text`, letter for letter.
///
/// `${` and `%{` would be interpolated: they are written as `$${` and `%%{`. After a row of several such marks HCL does not
/// define what doubling them means; there the brace is written as a code.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    let mut marks = (' ', 0);
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal += "\\n",
            '\r' => literal += "\\r",
            '\t' => literal += "\\t",
            '{' if marks.1 == 1 => literal.extend([marks.0, '{']),
            '{' if marks.1 > 1 => literal += "\\u007b",
            c if c.is_control() => literal += &format!("\\u{:04x}", u32::from(c)),
            c => literal.push(c),
        }
        marks = match c {
            '$' | '%' if marks.0 == c => (c, marks.1 + 1),
            '$' | '%' => (c, 1),
            _ => (' ', 0),
        };
    }
    literal + "\""
}

/// A text that Packer's plugins, which render strings as templates of Go, render as it is.
pub(super) fn past_go_templates(text: &str) -> String {
    text.replace("{{", "{{\"{{\"}}")
}

/// Assignments as `terraform fmt` lays them out: the signs of one-line values in a column, maps apart.
pub(super) fn assignments(values: &[(&'static str, HclValue)]) -> String {
    let is_map = |value: &HclValue| matches!(value, HclValue::Map(_));
    let width =
        values.iter().filter(|(_, value)| !is_map(value)).map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = values.iter().filter(|(_, value)| !is_map(value));
    let mut text = lines.map(|(name, value)| format!("{name:width$} = {value}\n")).collect::<String>();
    for (name, value) in values.iter().filter(|(_, value)| is_map(value)) {
        text += &format!("\n{name} = {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_interpolated_is_quoted() {
        for (text, literal) in [
            ("web-01", r#""web-01""#),
            ("${file(\"/etc/passwd\")}", r#""$${file(\"/etc/passwd\")}""#),
            ("%{ if true }x%{ endif }", r#""%%{ if true }x%%{ endif }""#),
            ("$${x} %%{y}", r#""$$\u007bx} %%\u007by}""#),
            ("$%{y} 100% {z} $", r#""$%%{y} 100% {z} $""#),
            ("a\\b\"c\nd\u{1b}", r#""a\\b\"c\nd\u001b""#),
            ("镜像", r#""镜像""#),
        ] {
            assert_eq!(quoted(text), literal);
        }
        assert_eq!(past_go_templates("a {{user `x`}} {"), "a {{\"{{\"}}user `x`}} {");
    }

    #[test]
    fn assignments_are_laid_out_in_columns() {
        let map = HclValue::Map(vec![("a".into(), "1".into()), ("long".into(), "${x}".into())]);
        let values = [
            ("name", HclValue::Text("n".into())),
            ("tags", map),
            ("min_disk", HclValue::Number(40)),
            ("quick", HclValue::Flag(true)),
        ];
        let text = "name     = \"n\"\nmin_disk = 40\nquick    = true\n\ntags = {\n  \"a\"    = \"1\"\n  \"long\" = \"$${x}\"\n}\n";
        assert_eq!(assignments(&values), text);
    }
}
