//! Listings, and writing without overwriting.

use nightferry::model::CarriedHeaders;
use nightferry::s3::{Body, Condition, Upload};

use super::{World, object};

#[test]
fn a_listing_shows_every_name_page_by_page() {
    let world = World::new();
    let names = [" a ", "%41", "+", "a\nb", "a b+c", "a/1", "a/2", "ü&<>\"'"];
    for name in names {
        world.server.put("src", name, object(name));
    }
    let source = &world.transfer.source;
    let mut listed = Vec::new();
    let mut page = source.list("", None, None, 3).unwrap();
    loop {
        listed.extend(page.objects);
        let Some(next) = page.next else { break };
        page = source.list("", None, Some(&next), 3).unwrap();
    }
    let found: Vec<_> = listed.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(found, names);
    for object in &listed {
        let mut facts = world.planned(&object.name);
        facts.md5_hex = None;
        assert_eq!(object.facts, facts);
    }
    assert_eq!(source.counters().list, 3);
    let below = source.list("a/", Some("a/1"), None, 1000).unwrap();
    assert_eq!(below.objects.len(), 1);
    assert_eq!(below.objects[0].name, "a/2");
}

#[test]
fn what_is_there_is_not_overwritten_if_so_asked() {
    let world = World::new();
    let put = |bytes: &'static str| {
        let upload = Upload {
            body: Body::Bytes(bytes.into()),
            headers: &CarriedHeaders::default(),
            content_md5: None,
            checksum: None,
            condition: Condition::Nothing,
        };
        world.transfer.destination.put("list.txt", upload)
    };
    put("first").unwrap();
    assert_eq!(put("second").unwrap_err().http_status, Some(412));
    let object = world.server.object("dst", "list.txt").unwrap();
    assert_eq!(object.body(), b"first");
    world.transfer.destination.delete("list.txt").unwrap();
    world.transfer.destination.delete("list.txt").unwrap();
    assert!(world.server.keys("dst").is_empty());
}
