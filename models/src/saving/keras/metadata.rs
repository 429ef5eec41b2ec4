//! `metadata.json`: by which version, and when.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::saving::json::parse;

/// The version of Keras whose files are written here.
pub(super) const VERSION: &str = "3.15.1";

/// The text for a file that is written now.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let metadata = json!({
        "keras_version": VERSION,
        "date_saved": date(since.as_secs()),
        "cornu_version": env!("CARGO_PKG_VERSION"),
    });
    metadata.to_string()
}

/// The version of Keras that a file names.
pub(super) fn version(text: &[u8]) -> Result<Option<String>> {
    let text = std::str::from_utf8(text)
        .map_err(|e| Error::value("metadata.json", "it must be UTF-8", e))?;
    let value: Value = parse("metadata.json", text)?;
    Ok(value["keras_version"].as_str().map(|version| version.chars().take(40).collect()))
}

/// `2026-01-31@23:59:59`, in universal time, from seconds since 1970.
fn date(seconds: u64) -> String {
    let (days, time) = ((seconds / 86400) as i64, seconds % 86400);
    // Days since 1 March of the year 0, in 400 years of 146097 days (Hinnant, `civil_from_days`).
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}@{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01@00:00:00"),
            (951_782_399, "2000-02-28@23:59:59"),
            (951_782_400, "2000-02-29@00:00:00"),
            (1_709_251_199, "2024-02-29@23:59:59"),
            (1_798_761_599, "2026-12-31@23:59:59"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }
}
