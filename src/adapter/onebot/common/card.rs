//! Cards: what QQ writes as JSON ("ark") or XML inside a segment, such as shared links, mini
//! programs, music and places.

use super::parts::{other, unescape};
use super::scalar::Scalar;
use crate::model::content::Segment;
use crate::protocol::json::repair;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// The objects of a card that are looked through.
const MAX_OBJECTS: usize = 32;

/// Reads a card of JSON by its `prompt`, the line that a list of chats would show, and by what its
/// `meta` tells.
pub(in crate::adapter::onebot) fn of_json(json: &str) -> Segment {
    #[derive(Default, Deserialize)]
    struct Card<'a> {
        #[serde(borrow, default)]
        app: Scalar<'a>,
        #[serde(default)]
        prompt: Scalar<'a>,
        #[serde(default)]
        desc: Scalar<'a>,
        #[serde(borrow)]
        meta: Option<&'a RawValue>,
    }
    let json = repair(json);
    let card: Card<'_> = serde_json::from_str(&json).unwrap_or_default();
    let objects = card.meta.map(objects).unwrap_or_default();
    let first = |keys: &[&str]| {
        let found = objects.iter().find_map(|fields| keys.iter().find_map(|key| fields.get(*key)));
        found.map(|found| found.as_str())
    };
    if card.app.or_empty().contains("map")
        && let Some(place) = place(&first)
    {
        return place;
    }
    if card.app.or_empty().contains("multimsg")
        && let Some(id) = first(&["resid"])
    {
        let title = first(&["source", "summary"]).or(card.prompt.text());
        let (title, id) = (title.map(str::to_owned), Some(id.to_owned()));
        return Segment::Forward { title, items: Vec::new(), id };
    }
    let (name, words) = (first(&["title", "nickname"]), first(&["desc", "contact"]));
    let title = card.prompt.text().or(card.desc.text()).or(name).or(words);
    let said = title.unwrap_or_default();
    let text = [name, words].into_iter().flatten().filter(|words| !said.contains(words));
    let text: Vec<_> = text.collect();
    card_of(
        title,
        Some(text.join(" ").as_str()),
        first(&["jumpUrl", "qqdocurl", "url"]),
        first(&["preview", "cover", "source_icon"]),
    )
}

/// Reads a card of XML by its `brief`, which a list of chats would show.
pub(in crate::adapter::onebot) fn of_xml(xml: &str) -> Segment {
    let title = attribute(xml, "brief").or_else(|| element(xml, "title"));
    if let Some(id) = attribute(xml, "m_resid") {
        return Segment::Forward { title, items: Vec::new(), id: Some(id) };
    }
    let said = title.clone().unwrap_or_default();
    let words = [element(xml, "title"), element(xml, "summary")].into_iter().flatten();
    let text: Vec<_> = words.filter(|words| !said.contains(words.as_str())).collect();
    card_of(
        title.as_deref(),
        Some(text.join(" ").as_str()),
        attribute(xml, "url").as_deref(),
        attribute(xml, "cover").as_deref(),
    )
}

/// A card, without what is blank; addresses of the web may lack their scheme.
pub(in crate::adapter::onebot) fn card_of(
    title: Option<&str>,
    text: Option<&str>,
    url: Option<&str>,
    image: Option<&str>,
) -> Segment {
    let word = |word: Option<&str>| word.filter(|word| !word.trim().is_empty()).map(str::to_owned);
    let address = |address: Option<&str>| {
        let address = word(address)?;
        let has_scheme = address.contains("://");
        Some(if has_scheme { address } else { format!("https://{address}") })
    };
    match (word(title), word(text), address(url), address(image)) {
        (None, None, None, None) => other("card", None),
        (title, text, url, image) => Segment::Card { title, text, url, image },
    }
}

fn place<'a>(first: &impl Fn(&[&str]) -> Option<&'a str>) -> Option<Segment> {
    let latitude = first(&["lat", "latitude"])?.parse().ok()?;
    let longitude = first(&["lng", "lon", "longitude"])?.parse().ok()?;
    let title = first(&["name", "title"]).map(str::to_owned);
    let address = first(&["address"]).map(str::to_owned);
    let is_on_earth = |degrees: f64, most: f64| degrees.abs() <= most;
    (is_on_earth(latitude, 90.0) && is_on_earth(longitude, 180.0)).then_some(Segment::Location {
        latitude,
        longitude,
        title,
        address,
    })
}

/// The texts of each object in a `meta`, which has one for each view of the card.
fn objects(meta: &RawValue) -> Vec<HashMap<String, String>> {
    type Fields<'a> = HashMap<Cow<'a, str>, &'a RawValue>;
    let views: Fields<'_> = serde_json::from_str(meta.get()).unwrap_or_default();
    let texts = |view: &RawValue| {
        let fields: Fields<'_> = serde_json::from_str(view.get()).ok()?;
        let text = |(key, value): (Cow<'_, str>, &RawValue)| {
            let value: Scalar<'_> = serde_json::from_str(value.get()).ok()?;
            let value = value.text().filter(|text| !text.trim().is_empty())?.to_owned();
            Some((key.into_owned(), value))
        };
        Some(fields.into_iter().filter_map(text).collect())
    };
    let mut views: Vec<_> = views.into_iter().collect();
    views.sort_by(|one, other| one.0.cmp(&other.0));
    views.into_iter().take(MAX_OBJECTS).filter_map(|(_, view)| texts(view)).collect()
}

/// An attribute of XML, wherever it stands.
fn attribute(xml: &str, name: &str) -> Option<String> {
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let (_, rest) = xml.split_once(&format!(" {name}={quote}"))?;
        Some(rest.split_once(quote)?.0)
    });
    quoted.map(unescape).filter(|value| !value.trim().is_empty())
}

/// The text of the first element of a name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}"))?;
    let (_, rest) = rest.split_once('>')?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(unescape(text)).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_mini_program_is_a_card() {
        let json = r#"{"app":"com.tencent.miniapp_01","prompt":"[QQ小程序]哔哩哔哩","desc":"",
            "meta":{"detail_1":{"title":"哔哩哔哩","desc":"一个视频","preview":"i0.hdslb.com/a.jpg",
            "qqdocurl":"https://b23.tv/x?a=1","host":{"uin":1}}}}"#;
        let card = Segment::Card {
            title: some("[QQ小程序]哔哩哔哩"),
            text: some("一个视频"),
            url: some("https://b23.tv/x?a=1"),
            image: some("https://i0.hdslb.com/a.jpg"),
        };
        assert_eq!(of_json(json), card);
    }

    #[test]
    fn a_place_and_a_forward_are_what_they_are() {
        let place = r#"{"app":"com.tencent.map","prompt":"[位置]广场","meta":{"Location.Search":
            {"address":"黄浦区","name":"人民广场","lat":"31.23","lng":"121.47"}}}"#;
        let (title, address) = (some("人民广场"), some("黄浦区"));
        let location = Segment::Location { latitude: 31.23, longitude: 121.47, title, address };
        assert_eq!(of_json(place), location);
        let forward = r#"{"app":"com.tencent.multimsg","prompt":"[聊天记录]",
            "meta":{"detail":{"resid":"r1","source":"群聊的聊天记录","news":[{"text":"A: b"}]}}}"#;
        let (title, id) = (some("群聊的聊天记录"), some("r1"));
        assert_eq!(of_json(forward), Segment::Forward { title, items: vec![], id });
    }

    #[test]
    fn xml_is_read_by_its_brief() {
        let xml = r#"<?xml version='1.0'?><msg serviceID="2" brief="&#91;分享&#93; 十年" url="https://y.qq.com/?a=1&amp;b=2">
            <item layout="2"><audio cover="http://y/p.jpg" src="http://s"/><title>十年</title><summary>歌手</summary></item></msg>"#;
        let card = Segment::Card {
            title: some("[分享] 十年"),
            text: some("歌手"),
            url: some("https://y.qq.com/?a=1&b=2"),
            image: some("http://y/p.jpg"),
        };
        assert_eq!(of_xml(xml), card);
        let forward = r#"<msg serviceID="35" brief="[聊天记录]" m_resid="r2"/>"#;
        let (title, id) = (some("[聊天记录]"), some("r2"));
        assert_eq!(of_xml(forward), Segment::Forward { title, items: vec![], id });
    }

    #[test]
    fn what_cannot_be_read_is_a_card_all_the_same() {
        for text in ["{", "", "5", "{\"meta\":[1]}"] {
            assert_eq!(of_json(text), other("card", None), "{text}");
            assert_eq!(of_xml(text), other("card", None), "{text}");
        }
    }
}
