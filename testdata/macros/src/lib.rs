//! The `#[test]` of imsprep's own test harness, which is described in the crate `imsprep-testdata`.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Registers a test function, so that `imsprep_testdata::run` runs it.
///
/// The function takes nothing and returns nothing. `#[ignore]`, with or without a reason, does what it does in libtest.
/// `#[should_panic]` is refused.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(&arguments, item).unwrap_or_else(|why| {
        format!("::core::compile_error!({why:?});").parse().expect("the error is a valid macro call")
    })
}

fn expand(arguments: &TokenStream, item: TokenStream) -> Result<TokenStream, &'static str> {
    if !arguments.is_empty() {
        return Err("#[test] takes no arguments");
    }
    // clippy.toml allows in tests what it denies elsewhere; clippy recognises a test by this attribute.
    let mut output: TokenStream = "#[cfg(test)]".parse().expect("an attribute");
    let (mut name, mut is_ignored, mut follows_fn) = (None, false, false);
    let mut tokens = item.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if let TokenTree::Punct(punct) = &token
            && punct.as_char() == '#'
            && let Some(TokenTree::Group(attribute)) = tokens.peek()
        {
            match word_of(attribute).as_deref() {
                Some("should_panic") => return Err("#[should_panic] is not supported by this test harness"),
                Some("ignore") => {
                    is_ignored = true;
                    tokens.next();
                    continue;
                }
                _ => {}
            }
        }
        if let TokenTree::Ident(ident) = &token {
            let ident = ident.to_string();
            if follows_fn && name.is_none() {
                name = Some(ident.clone());
            }
            follows_fn = ident == "fn";
        }
        output.extend([token]);
    }
    let name = name.ok_or("#[test] belongs on a function")?;
    let registration = format!(
        "::imsprep_testdata::submit! {{ ::imsprep_testdata::Test::new(
            ::core::concat!(::core::module_path!(), \"::\", {shown:?}), {name}, {is_ignored}) }}",
        shown = name.trim_start_matches("r#"),
    );
    output.extend(registration.parse::<TokenStream>().map_err(|_| "the registration does not parse")?);
    Ok(output)
}

/// The first word of an attribute: `ignore` of `[ignore = "why"]`.
fn word_of(attribute: &Group) -> Option<String> {
    if attribute.delimiter() != Delimiter::Bracket {
        return None;
    }
    attribute.stream().into_iter().next().map(|token| token.to_string())
}
