//! A device that shows a token: `Proxy-Authorization: Basic`, where the user name is the token (RFC 9110 §11.7, RFC 7617).

use super::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper::header::{self, HeaderMap};

/// The longest header that is looked at.
const LONGEST: usize = 512;

/// The token that a request shows; none when it shows none. The password is not looked at.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Box<str>>, Problem> {
    let mut shown = headers.get_all(header::PROXY_AUTHORIZATION).iter();
    let Some(value) = shown.next() else { return Ok(None) };
    if shown.next().is_some() || value.len() > LONGEST {
        return Err(Problem::UnknownToken);
    }
    let user = value.to_str().ok().and_then(basic_user).ok_or(Problem::UnknownToken)?;
    Ok((!user.is_empty()).then(|| user.into_boxed_str()))
}

/// The user name of Basic credentials.
fn basic_user(value: &str) -> Option<String> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    // Base64 (RFC 4648 §4), with or without its padding.
    let decoded = STANDARD_NO_PAD.decode(encoded.trim().trim_end_matches('=')).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, _password) = decoded.split_once(':')?;
    Some(user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn the_user_name_is_the_token() {
        let none: Result<Option<&str>, Problem> = Ok(None);
        for (value, meant) in [
            (None, none),
            (Some("Basic am9yZGFuLXRhYmxldC03ZjNhMTljNmQyOg=="), Ok(Some("jordan-tablet-7f3a19c6d2"))),
            (Some("basic am9yZGFuLXRhYmxldC03ZjNhMTljNmQyOg"), Ok(Some("jordan-tablet-7f3a19c6d2"))),
            (Some("Basic eDp5"), Ok(Some("x"))),
            (Some("Basic Og=="), Ok(None)),
            (Some("Basic eA=="), Err(Problem::UnknownToken)),
            (Some("Basic"), Err(Problem::UnknownToken)),
            (Some("Basic !!!!"), Err(Problem::UnknownToken)),
            (Some("Basic eDp5Z"), Err(Problem::UnknownToken)),
            (Some("Bearer eDp5"), Err(Problem::UnknownToken)),
            (Some("Basic /zo="), Err(Problem::UnknownToken)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::PROXY_AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(
                read(&headers).as_ref().map(|t| t.as_deref()),
                meant.as_ref().map(|t| *t),
                "{value:?}"
            );
        }
    }

    #[test]
    fn two_tokens_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::PROXY_AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
        headers.append(header::PROXY_AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
        assert_eq!(read(&headers), Err(Problem::UnknownToken));
    }
}
