//! A ZVHD2 in words.

use imsprep_ondisk::format::zvhd2::Footer;
use imsprep_rules::Size;
use imsprep_zvhd2::Info;

use super::percent;

/// "3 of 6 hold data (50.0 %), 2 MiB each, zstd, 4.1 times smaller".
pub(crate) fn blocks_line(info: &Info) -> String {
    let block = Size(info.block_size.0).scaled();
    let mut text = match info.data_blocks {
        Some(data) => {
            let share = percent(data.min(info.block_count), info.block_count);
            format!("{data} of {} hold data ({share}), {block} each", info.block_count)
        }
        None => format!("{}, {block} each", info.block_count),
    };
    match info.method {
        Some(method) => text += &format!(", {}", method.as_str()),
        None => text += &format!(", unknown compression method {}", info.method_number),
    }
    if let Some(ratio) = info.ratio() {
        text += &format!(", compressed {ratio:.1} : 1");
    }
    text
}

/// A field's value in the form that suits it.
pub(crate) fn value(field: &imsprep_ondisk::format::zvhd2::Field, footer: &[u8; Footer::SIZE]) -> String {
    let bytes = field.bytes(footer);
    match (field.name, field.value(footer)) {
        ("cookie" | "crtr_app", _) => format!("{}", bytes.escape_ascii()),
        ("uuid", _) => bytes.try_into().map(uuid).unwrap_or_default(),
        ("features" | "ff_version" | "data_offset" | "crtr_ver" | "crtr_os" | "checksum", Some(n)) => {
            format!("{n:#x}")
        }
        ("geometry", Some(n)) => format!("{}/{}/{}", n >> 16, n >> 8 & 0xff, n & 0xff),
        (_, Some(n)) => n.to_string(),
        _ if bytes.iter().all(|byte| *byte == 0) => "all zero".into(),
        _ => format!("{} bytes not zero", bytes.iter().filter(|byte| **byte != 0).count()),
    }
}

/// The usual form, in the order in which the bytes stand in the file.
pub(crate) fn uuid(bytes: &[u8; 16]) -> String {
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut text = String::new();
    for (place, c) in hex.chars().enumerate() {
        if [8, 12, 16, 20].contains(&place) {
            text.push('-');
        }
        text.push(c);
    }
    text
}
