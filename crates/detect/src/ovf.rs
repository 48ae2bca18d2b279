//! The descriptor of a virtual machine in an OVA: the order of its disks, and which of them it starts from.
//!
//! Source: DMTF DSP0243, Open Virtualization Format, 1.1 and 2.1: References, DiskSection, VirtualHardwareSection.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// Bytes of a descriptor that are read; an ordinary one has some 10 KB.
pub const OVF_MAX: u64 = 4 << 20;
/// Elements that may be within one another.
const DEPTH_MAX: usize = 64;
/// Most files, disks and devices that are kept.
const ITEMS_MAX: usize = 1024;
/// Bytes of text that are kept of an element.
const TEXT_MAX: usize = 1024;

/// What rasd:ResourceType calls a disk.
const DISK: u32 = 17;

/// The disks of a virtual machine, in the order of its descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ovf {
    /// One for each Disk of the DiskSection.
    pub disks: Vec<OvfDisk>,
}

/// One disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OvfDisk {
    /// Its ovf:diskId.
    pub id: String,
    /// The name of its file; `None` for one that is created empty.
    pub file: Option<String>,
    /// Bytes of that file, of one in chunks those of all of them; `None` if the descriptor does not say it.
    pub file_size: Option<u64>,
    /// Whether the machine starts from it: of the disks that are attached it is at the first address of the first controller. False if the
    /// descriptor has several machines, or does not say it.
    pub is_first: bool,
}

impl Ovf {
    /// Reads a descriptor. `None` if it is none, or its XML is broken or beyond the limits.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        let mut found = Found::default();
        let mut open = Vec::<String>::new();
        let mut content = String::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(element) => {
                    if open.is_empty() && element.local_name().into_inner() != "Envelope"
                        || open.len() >= DEPTH_MAX
                    {
                        return None;
                    }
                    found.begin(&element)?;
                    open.push(element.local_name().into_inner().to_owned());
                    content.clear();
                }
                Event::Empty(element) => found.begin(&element)?,
                Event::Text(piece) if content.len() < TEXT_MAX => content.push_str(&piece.xml10_content()),
                Event::End(_) => {
                    let name = open.pop()?;
                    found.end(&name, open.last().map(String::as_str), content.trim());
                    content.clear();
                }
                // Entities of its own could make a small file large.
                Event::DocType(_) => return None,
                Event::Eof => return open.is_empty().then(|| found.into_ovf()),
                _ => {}
            }
        }
    }
}

/// A device of a virtual machine.
#[derive(Clone, Debug, Default)]
struct Item {
    kind: Option<u32>,
    instance: Option<String>,
    parent: Option<String>,
    address: Option<u32>,
    disk: Option<String>,
}

/// A file that the descriptor lists.
#[derive(Clone, Debug)]
struct File {
    id: String,
    name: String,
    size: Option<u64>,
}

/// What the elements say, before it is put together.
#[derive(Default)]
struct Found {
    files: Vec<File>,
    /// Identifier, and identifier of the file.
    disks: Vec<(String, Option<String>)>,
    items: Vec<Item>,
    machines: usize,
}

impl Found {
    /// `None` if there is more than is kept.
    fn begin(&mut self, element: &BytesStart<'_>) -> Option<()> {
        let attribute = |name: &str| -> Option<String> {
            let mut all = element.attributes();
            let found =
                all.with_checks(false).flatten().find(|one| one.key.local_name().into_inner() == name)?;
            Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
        };
        match element.local_name().into_inner() {
            "File" => self.files.extend(attribute("id").zip(attribute("href")).map(|(id, name)| {
                let size = attribute("size").and_then(|size| size.parse().ok());
                File { id, name, size }
            })),
            "Disk" => self.disks.extend(attribute("diskId").map(|id| (id, attribute("fileRef")))),
            "Item" | "StorageItem" => self.items.push(Item::default()),
            "VirtualSystem" => self.machines += 1,
            _ => {}
        }
        let most = self.files.len().max(self.disks.len()).max(self.items.len());
        (most <= ITEMS_MAX).then_some(())
    }

    fn end(&mut self, name: &str, parent: Option<&str>, content: &str) {
        let Some(item) = self.items.last_mut().filter(|_| matches!(parent, Some("Item" | "StorageItem")))
        else {
            return;
        };
        match name {
            "ResourceType" => item.kind = content.parse().ok(),
            "InstanceID" => item.instance = Some(content.to_owned()),
            "Parent" => item.parent = Some(content.to_owned()),
            "AddressOnParent" => item.address = content.parse().ok(),
            // "ovf:/disk/ID", or "/disk/ID".
            "HostResource" => item.disk = content.split_once("/disk/").map(|(_, id)| id.to_owned()),
            _ => {}
        }
    }

    fn into_ovf(self) -> Ovf {
        let first = self.first_disk();
        let disks = self.disks.iter().map(|(id, reference)| {
            let file = reference.as_ref().and_then(|id| self.files.iter().find(|file| file.id == *id));
            OvfDisk {
                id: id.clone(),
                file: file.map(|file| file.name.clone()),
                file_size: file.and_then(|file| file.size),
                is_first: first.as_ref() == Some(id),
            }
        });
        Ovf { disks: disks.collect() }
    }

    /// The disk at the first address of the first controller that has one.
    fn first_disk(&self) -> Option<String> {
        let place = |item: &Item| {
            let is_parent = |other: &&Item| other.instance.is_some() && other.instance == item.parent;
            let controller = self.items.iter().position(|other| is_parent(&other))?;
            Some((controller, item.address?))
        };
        let disks = self.items.iter().filter(|item| item.kind == Some(DISK) && item.disk.is_some());
        let mut placed =
            disks.map(|item| Some((place(item)?, item.disk.clone()?))).collect::<Option<Vec<_>>>()?;
        placed.sort();
        (self.machines == 1).then(|| placed.into_iter().next()).flatten().map(|(_, disk)| disk)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As ovftool and VirtualBox write it, shortened; the second disk is at the first address.
    const OVF: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="r">
  <References>
    <File ovf:href="vm-disk1.vmdk" ovf:id="file1" ovf:size="1"/>
    <File ovf:href="a &amp; b.vmdk" ovf:id="file2"></File>
  </References>
  <DiskSection>
    <Info>disks</Info>
    <Disk ovf:capacity="8" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="vmdisk1" ovf:fileRef="file1"/>
    <Disk ovf:capacity="4" ovf:diskId="vmdisk2" ovf:fileRef="file2"/>
    <Disk ovf:capacity="1" ovf:diskId="empty"/>
  </DiskSection>
  <VirtualSystem ovf:id="vm">
    <VirtualHardwareSection>
      <Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>1</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>9</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>/disk/vmdisk2</rasd:HostResource>
        <rasd:InstanceID>10</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>"#;

    #[test]
    fn disks_have_files_and_the_machine_starts_from_the_first_address() {
        let ovf = Ovf::parse(OVF.as_bytes()).unwrap();
        let disks = ovf.disks.iter().map(|disk| (disk.id.as_str(), disk.file.as_deref(), disk.is_first));
        let expected = [
            ("vmdisk1", Some("vm-disk1.vmdk"), false),
            ("vmdisk2", Some("a & b.vmdk"), true),
            ("empty", None, false),
        ];
        assert_eq!(disks.collect::<Vec<_>>(), expected);
        // Without an address of each disk, or with two machines, none is the first.
        let second = OVF.replace("<VirtualSystem ", "<VirtualSystem/><VirtualSystem ");
        for text in [OVF.replace("<rasd:Parent>3</rasd:Parent>", ""), second] {
            assert!(Ovf::parse(text.as_bytes()).unwrap().disks.iter().all(|disk| !disk.is_first));
        }
    }

    #[test]
    fn what_is_no_descriptor_or_beyond_the_limits_is_none() {
        let deep = format!("<Envelope>{}{}</Envelope>", "<a>".repeat(100), "</a>".repeat(100));
        let many = format!("<Envelope>{}</Envelope>", "<Disk diskId='a'/>".repeat(ITEMS_MAX + 1));
        let entity = r#"<!DOCTYPE a [<!ENTITY b "cccc">]><Envelope>&b;</Envelope>"#;
        for text in ["", "text", "<other/>", "<Envelope>", "<Envelope></b>", entity, &deep, &many] {
            let found = Ovf::parse(text.as_bytes());
            assert!(found.is_none_or(|ovf| ovf.disks.is_empty()), "{}", &text[..text.len().min(80)]);
        }
        assert_eq!(Ovf::parse(b"\xff<Envelope/>"), None);
    }

    proptest! {
        #[test]
        fn a_descriptor_that_was_altered_is_read_or_refused(at in 0..OVF.len(), byte in any::<u8>(), cut in 0..OVF.len()) {
            let mut bytes = OVF.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Ovf::parse(&bytes);
            let _ = Ovf::parse(&OVF.as_bytes()[..cut]);
        }
    }
}
