//! The header of the file, which is its first page: the layout of the other pages, and the roots of the two
//! newest commits.

use super::numbers::{u32_at, u64_at, u128_at};
use super::tree_page::PageReference;
use std::ops::Range;
use twox_hash::XxHash3_128;

/// The first bytes of a file of redb.
const MAGIC: &[u8] = b"redb\x1a\n\xa9\r\n";

/// The version of the format.
const FORMAT: u8 = 3;

/// Bytes of the header that are used: 64 of the file, and two slots of 128.
pub(super) const HEADER: usize = 320;

/// Bytes of a slot before its checksum.
const SLOT_BYTES: usize = 112;

/// Bytes of a page of order 0.
const PAGE_BYTES: u64 = 4096;

/// Pages of a region, at most.
const MAX_PAGES: u64 = 1 << 20;

/// How the pages lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageLayout {
    pub(super) page_bytes: u64,
    region_header: u64,
    region_bytes: u64,
}

impl PageLayout {
    /// The layout of all stores that rechat makes.
    pub(super) const USUAL: Self =
        Self { page_bytes: PAGE_BYTES, region_header: 0, region_bytes: MAX_PAGES * PAGE_BYTES };

    /// The layout in a header; `None` if it is impossible.
    fn parse(header: &[u8]) -> Option<Self> {
        let page_bytes = u64::from(u32_at(header, 12)?);
        let header_pages = u64::from(u32_at(header, 16)?);
        let region_pages = u64::from(u32_at(header, 20)?);
        let is_possible = page_bytes == PAGE_BYTES
            && header_pages <= MAX_PAGES
            && (1..=MAX_PAGES).contains(&region_pages);
        let region_header = header_pages * PAGE_BYTES;
        let region_bytes = region_header + region_pages * PAGE_BYTES;
        is_possible.then_some(Self { page_bytes, region_header, region_bytes })
    }

    /// The position of a page in the file. Bits 0 to 19 of its number are its index, 20 to 39 its region,
    /// 59 to 63 its order. A page of order n has as many bytes as 2^n pages of order 0.
    pub(super) fn place(&self, number: u64) -> Range<u64> {
        let order = number >> 59;
        let index = number & (0xF_FFFF >> order.min(20));
        let region = number >> 20 & 0xF_FFFF;
        let bytes = self.page_bytes << order;
        // The header of the file takes one page.
        let start =
            self.page_bytes + region * self.region_bytes + self.region_header + index * bytes;
        start..start + bytes
    }
}

/// The header, as far as it can be read.
pub(super) struct FileHeader {
    /// The layout in the header.
    pub(super) layout: Option<PageLayout>,
    /// The root of the tree of tables: the newest commit, and the one before it.
    pub(super) roots: [Option<PageReference>; 2],
    /// The fixed bytes are right, and the root of the newest commit can be read. The other root may be
    /// damaged by a crash.
    pub(super) is_whole: bool,
}

impl FileHeader {
    pub(super) fn parse(header: &[u8; HEADER]) -> Self {
        let slots = [&header[64..192], &header[192..320]];
        let [first, second] = slots.map(root_of_slot);
        // The lowest bit of the byte after the magic number selects the newest commit.
        let roots = if header[9] & 1 == 0 { [first, second] } else { [second, first] };
        let layout = PageLayout::parse(header);
        let has_slots = slots.iter().all(|slot| slot[0] == FORMAT) && roots[0].is_some();
        let is_whole = header.starts_with(MAGIC) && layout.is_some() && has_slots;
        Self { layout, roots, is_whole }
    }
}

/// The root in a slot; `None` if the slot is damaged or has none.
fn root_of_slot(slot: &[u8]) -> Option<PageReference> {
    let is_whole = u128_at(slot, SLOT_BYTES)? == XxHash3_128::oneshot(&slot[..SLOT_BYTES]);
    let has_root = slot[0] == FORMAT && slot[1] != 0;
    let root = PageReference { number: u64_at(slot, 8)?, checksum: u128_at(slot, 16)? };
    (is_whole && has_root).then_some(root)
}
