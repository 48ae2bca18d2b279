//! Input: the descriptor of a virtual machine.
//!
//! Oracle: what is read is bounded; files and names of disks are in the text, unless it has references to characters; a comment and white
//! space around the descriptor change nothing; a disk that is put behind the others is read as the last one.

use imsprep_detect::{OVF_MAX, Ovf};

use crate::plant::planted;

/// See the module.
pub fn run(data: &[u8]) {
    if data.len() as u64 > OVF_MAX {
        return;
    }
    let found = planted(Ovf::parse(data), |found| {
        if let Some(ovf) = found {
            ovf.disks.pop();
        }
    });
    let Ok(text) = std::str::from_utf8(data) else {
        assert_eq!(found, None, "no text");
        return;
    };
    let Some(ovf) = found else { return };
    assert!(ovf.disks.len() <= 1024, "{}", ovf.disks.len());
    assert!(
        ovf.disks.iter().filter(|disk| disk.is_first).count() <= ovf.disks.len().min(1) || has_twins(&ovf)
    );
    for disk in &ovf.disks {
        let is_there = |name: &str| text.contains(name) || text.contains('&') || name.contains([' ', '\n']);
        assert!(is_there(&disk.id), "{:?}", disk.id);
        assert!(disk.file.as_deref().is_none_or(is_there), "{:?}", disk.file);
    }
    assert_eq!(Ovf::parse(format!("{text}\n<!-- the end -->").as_bytes()).as_ref(), Some(&ovf));
    // One more disk at the end of the descriptor.
    if let Some((before, "Envelope>" | "ovf:Envelope>")) = text.trim_end().rsplit_once("</") {
        let end = &text.trim_end()[before.len()..];
        let longer = format!("{before}<Disk diskId='the last one'/>{end}");
        let disks = Ovf::parse(longer.as_bytes()).map(|ovf| ovf.disks);
        if ovf.disks.len() < 1024 && !before.trim_end().ends_with('/') {
            let disks = disks.expect("a descriptor with one more disk");
            assert_eq!(disks.len(), ovf.disks.len() + 1);
            assert_eq!(disks.last().map(|disk| disk.id.as_str()), Some("the last one"));
        }
    }
}

/// Whether two disks have one name.
fn has_twins(ovf: &Ovf) -> bool {
    ovf.disks.iter().enumerate().any(|(n, disk)| ovf.disks[..n].iter().any(|other| other.id == disk.id))
}

/// Descriptors in the forms that programs write.
pub fn seeds() -> Vec<Vec<u8>> {
    let files = r#"<References><File ovf:href="a.vmdk" ovf:id="f1" ovf:size="9"/><File href="b &amp; c.vmdk.gz" id="f2" ovf:compression="gzip"></File></References>"#;
    let disks = r#"<DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1"/><Disk diskId="d2" fileRef="f2"></Disk><Disk diskId="d3"/></DiskSection>"#;
    let item = |id: u32, kind: u32, rest: &str| {
        format!(
            "<Item><rasd:InstanceID>{id}</rasd:InstanceID>{rest}<rasd:ResourceType>{kind}</rasd:ResourceType></Item>"
        )
    };
    let disk = |id: u32, address: u32, disk: &str| {
        item(
            id,
            17,
            &format!(
                "<rasd:AddressOnParent>{address}</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/{disk}\
                 </rasd:HostResource><rasd:Parent>3</rasd:Parent>"
            ),
        )
    };
    let machine = [item(3, 6, ""), disk(9, 1, "d1"), disk(10, 0, "d2")].concat();
    let machine =
        format!("<VirtualSystem><VirtualHardwareSection>{machine}</VirtualHardwareSection></VirtualSystem>");
    let texts = [
        format!(
            r#"<?xml version="1.0"?><Envelope xmlns:ovf="o" xmlns:rasd="r">{files}{disks}{machine}</Envelope>"#
        ),
        format!("<ovf:Envelope xmlns:ovf='o'><!-- c -->{disks}{files}</ovf:Envelope>\n"),
        "<Envelope/>".into(),
        "<Envelope><Disk diskId='a'/></Envelope>".into(),
    ];
    texts.map(String::into_bytes).to_vec()
}
