//! Pictures of the terminal client: its screen as the browser draws it.

use crate::browser::{Person, READER, Tab};
use crate::server::TestServer;
use crate::terminal::Terminal;
use std::fmt::Write;
use std::path::Path;

/// Sizes of the screen, columns and rows; the first is the README's.
const SIZES: [(u16, u16); 7] =
    [(112, 30), (220, 50), (120, 40), (100, 30), (80, 24), (60, 16), (40, 12)];

/// Pixels of a character, and around the screen.
const CELL: (u32, u32) = (9, 20);
const EDGE: u32 = 14;

/// Background, text, and the eight colours of a terminal's palette.
struct Palette {
    name: &'static str,
    ground: &'static str,
    text: &'static str,
    colours: [&'static str; 8],
}

const PALETTES: [Palette; 2] = [
    Palette {
        name: "dark",
        ground: "#14171c",
        text: "#d7dae0",
        colours: [
            "#3b4048", "#f2777a", "#8fc57c", "#e5c07b", "#6cb0f2", "#cf8dde", "#5cc4cf", "#d7dae0",
        ],
    },
    Palette {
        name: "light",
        ground: "#fbfaf7",
        text: "#2a2d33",
        colours: [
            "#2a2d33", "#c0262d", "#2f7d32", "#8a6d00", "#1f5fb8", "#9a2fa8", "#0b7a86", "#8a8d93",
        ],
    },
];

/// A screen as HTML, each character in its place.
fn html(screen: &vt100::Screen, palette: &Palette) -> String {
    let mut page = format!(
        "<!doctype html><meta charset=utf-8><style>\
         body{{margin:0;padding:{EDGE}px;background:{ground};color:{text};\
         font:15px/20px 'DejaVu Sans Mono','Noto Sans Mono CJK SC','Noto Sans CJK SC','Noto Color Emoji',monospace}}\
         div{{height:20px;white-space:pre}}\
         i{{display:inline-block;height:20px;font-style:normal;overflow:hidden;vertical-align:top;unicode-bidi:isolate}}\
         </style>",
        ground = palette.ground,
        text = palette.text,
    );
    let (rows, columns) = screen.size();
    for row in 0..rows.get() {
        page.push_str("<div>");
        for cell in (0..columns.get()).filter_map(|column| screen.cell(row, column)) {
            if !cell.is_wide_continuation() {
                draw(&mut page, cell, palette);
            }
        }
        page.push_str("</div>");
    }
    page
}

fn draw(page: &mut String, cell: &vt100::Cell, palette: &Palette) {
    let colour = |colour, usual: &'static str| match colour {
        vt100::Color::Idx(place) => palette.colours[usize::from(place % 8)].to_owned(),
        vt100::Color::Rgb(red, green, blue) => format!("rgb({red},{green},{blue})"),
        vt100::Color::Default => usual.to_owned(),
    };
    let mut text = colour(cell.fgcolor(), palette.text);
    let mut ground = colour(cell.bgcolor(), palette.ground);
    if cell.inverse() {
        std::mem::swap(&mut text, &mut ground);
    }
    let width = if cell.is_wide() { 2 } else { 1 } * CELL.0;
    let weight = if cell.bold() { 700 } else { 400 };
    let opacity = if cell.dim() { 0.6 } else { 1.0 };
    let line = if cell.underline() { "underline" } else { "none" };
    let contents = if cell.has_contents() { cell.contents() } else { " " };
    let contents = contents.replace('&', "&amp;").replace('<', "&lt;");
    write!(
        page,
        "<i style='width:{width}px;color:{text};background:{ground};font-weight:{weight};\
         opacity:{opacity};text-decoration:{line}'>{contents}</i>"
    )
    .unwrap();
}

async fn shoot(tab: &Tab, terminal: &Terminal, palette: &Palette, file: &Path) {
    let (html, (rows, columns)) =
        terminal.with_screen(|screen| (html(screen, palette), screen.size()));
    let width = u32::from(columns.get()) * CELL.0 + 2 * EDGE;
    let height = u32::from(rows.get()) * CELL.1 + 2 * EDGE;
    tab.becomes(Person { width, height, ..READER }).await;
    let page = tempfile::Builder::new().suffix(".html").tempfile().unwrap();
    std::fs::write(page.path(), html).unwrap();
    tab.go(&format!("file://{}", page.path().display())).await;
    tab.until("fonts are here", "return document.fonts.status === 'loaded'").await;
    std::fs::write(file, tab.picture().await).unwrap();
}

/// The present screen in every size.
async fn shoot_sizes(tui: &Terminal, tab: &Tab, folder: &Path, name: &str) {
    for (columns, rows) in SIZES {
        tui.resize(rows, columns);
        tui.has_status("●");
        for palette in &PALETTES {
            let name = format!("{name}-{columns}x{rows}-{}.png", palette.name);
            shoot(tab, tui, palette, &folder.join(name)).await;
        }
    }
}

/// The client with one conversation open and a text that is being written, in every size.
pub async fn shoot_all(server: &TestServer, tab: &Tab, folder: &Path) {
    let mut tui = Terminal::start_among(&server.home, &["tui"], &[("LC_ALL", "C.UTF-8")]);
    tui.sees("Hiking club");
    tui.press("\u{b}hiking\r");
    tui.sees("I bring coffee");
    tui.press("Shall I bring the map? 我也可以带上");
    tui.sees("我也可以带上");
    shoot_sizes(&tui, tab, folder, "tui").await;
    // Forwarding the last message, and who is here.
    tui.resize(SIZES[0].1, SIZES[0].0);
    tui.press("\u{15}\u{1b}");
    tui.sees("press i to write");
    tui.press("kF");
    tui.sees("Forward to");
    shoot_sizes(&tui, tab, folder, "tui-forward").await;
    tui.resize(SIZES[0].1, SIZES[0].0);
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("M");
    tui.sees("People here");
    shoot_sizes(&tui, tab, folder, "tui-people").await;
    let readme = folder.join(format!("tui-{}x{}-dark.png", SIZES[0].0, SIZES[0].1));
    std::fs::copy(readme, folder.join("tui.png")).unwrap();
    drop(tui);
    shoot_chinese(server, tab, folder).await;
}

/// The same in Chinese, for the Chinese README.
async fn shoot_chinese(server: &TestServer, tab: &Tab, folder: &Path) {
    let locale = [("LC_ALL", "zh_CN.UTF-8")];
    let mut tui = Terminal::start_among(&server.home, &["tui"], &locale);
    tui.sees("Hiking club");
    tui.resize(SIZES[0].1, SIZES[0].0);
    tui.press("\u{b}hiking\r");
    tui.sees("I bring coffee");
    tui.press("我也可以带上地图");
    tui.sees("我也可以带上地图");
    shoot(tab, &tui, &PALETTES[0], &folder.join("tui-zh-CN.png")).await;
}
