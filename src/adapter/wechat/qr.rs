//! QR codes of texts, as lines of modules.

use qrcode::{Color, QrCode};

/// The lines of a QR code, `1` being dark, without the quiet zone around it; none where the text is
/// too long for one.
pub(super) fn modules(text: &str) -> Vec<String> {
    let Ok(code) = QrCode::new(text) else { return Vec::new() };
    let digit = |color: &Color| if *color == Color::Dark { '1' } else { '0' };
    code.to_colors().chunks(code.width()).map(|line| line.iter().map(digit).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_with_its_three_marks() {
        let lines = modules("https://liteapp.weixin.qq.com/q/7GiQu1?qrcode=x&bot_type=3");
        assert!(lines.iter().all(|line| line.len() == lines.len()), "{lines:?}");
        for line in [&lines[0], &lines[lines.len() - 1]] {
            assert!(line.starts_with("11111110"), "{line}");
        }
        assert!(lines[0].ends_with("01111111"));
        assert_eq!(modules(&"x".repeat(8_000)).len(), 0);
    }
}
