//! Volume groups of LVM2, held against what its own tools say.

use imsprep_testdata::{missing, need_tools};

use crate::support::{Folder, MIB};
use imsprep_inspect::{Lost, Partition, Segment, VolumeKind};

/// Loop devices, which need root. Leaves the test where none can be made.
fn loop_devices(folder: &Folder, names: &[&str]) -> Vec<String> {
    let mut devices = Vec::new();
    for name in names {
        let text = folder.output(&format!("losetup -f --show {name}"));
        match text.lines().next().filter(|line| line.starts_with("/dev/loop")) {
            Some(device) => devices.push(device.to_owned()),
            None => {
                detach(folder, &devices);
                missing(format!("loop devices can't be made: {}", text.trim()));
            }
        }
    }
    devices
}

fn detach(folder: &Folder, devices: &[String]) {
    for device in devices {
        folder.output(&format!("losetup -d {device}"));
    }
}

/// A segment of a logical volume: the volume's name, bytes, bytes of a stripe, and where each stripe begins on which device.
type SegmentFound = (String, u64, u64, Vec<(String, u64)>);

#[test]
fn a_volume_group_and_what_of_it_is_missing() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.image("other", 64 * MIB);
    need_tools(["pvcreate", "vgcreate", "vgcfgbackup", "vgcfgrestore", "losetup", "pvs", "blkid", "sfdisk"]);
    let devices = loop_devices(&folder, &["image", "other"]);
    let group = format!("imspreptest{}", std::process::id());
    let both = devices.join(" ");
    // Only these two devices, whatever else the machine has.
    let lvm = |command: &str, args: &str| {
        let filter = devices.iter().map(|device| format!("\"a|^{device}$|\"")).collect::<Vec<_>>().join(",");
        let config = format!(
            "devices {{ use_devicesfile=0 filter=[{filter},\"r|.*|\"] }} backup {{ backup=0 archive=0 }}"
        );
        folder.output(&format!("LVM_SUPPRESS_FD_WARNINGS=1 {command} --config '{config}' {args}"))
    };
    // Logical volumes come from a backup: making one needs a kernel with device mapper.
    let with_logical = |text: &str| {
        let volume = "id = \"abcdef-abcd-abcd-abcd-abcd-abcd-abcdef\"
            status = [\"READ\", \"WRITE\", \"VISIBLE\"] flags = [] segment_count = 1
            segment1 { start_extent = 0 extent_count = 2 type = \"striped\" stripe_count = 1 stripes = [\"pv0\", 0] }";
        let (before, after) = text.rsplit_once('}').unwrap();
        format!("{before} logical_volumes {{ root {{ {volume} }} }} }} {after}")
    };
    let made = lvm("pvcreate", &format!("-y {both}")) + &lvm("vgcreate", &format!("-y {group} {both}"));
    let made = made + &lvm("vgcfgbackup", &format!("-f backup {group}"));
    let backup =
        std::fs::read_to_string(folder.path("backup")).unwrap_or_else(|error| panic!("{error}: {made}"));
    std::fs::write(folder.path("backup"), with_logical(&backup)).unwrap();
    let made = made + &lvm("vgcfgrestore", &format!("--force -f backup {group}"));
    let told = lvm(
        "pvs",
        &format!(
            "--noheadings --separator , --units b --nosuffix -o pv_uuid,vg_name,vg_uuid,pv_count,pe_start,pv_pe_count,vg_extent_size {both}"
        ),
    );
    detach(&folder, &devices);
    let rows = told.lines().map(|line| line.trim().split(',').collect::<Vec<_>>()).collect::<Vec<_>>();
    assert_eq!(rows.len(), 2, "{made} {told}");
    let volume = folder.inspect("image").whole.unwrap();
    assert_eq!(volume.uuid.as_deref(), Some(rows[0][0]));
    assert_eq!(volume.uuid.as_ref(), folder.blkid("image", 0, 64 * MIB).get("UUID"));
    // The extents end before the device does; what is between them holds nothing.
    let number = |field: usize| rows[0][field].parse::<u64>().unwrap();
    let end = number(4) + number(5) * number(6);
    assert!(end < 64 * MIB, "{told}");
    assert_eq!((volume.size, volume.content_end), (Some(64 * MIB), Some(end)), "{told}");
    assert_eq!(volume.lost_in(64 * MIB), None);
    assert_eq!(volume.lost_in(64 * MIB - 512), Some(Lost::Tail { end: 64 * MIB }));
    assert_eq!(volume.lost_in(end), Some(Lost::Tail { end: 64 * MIB }));
    assert_eq!(volume.lost_in(end - 1), Some(Lost::Content { end }));
    let VolumeKind::Lvm(lvm) = volume.kind else { panic!("{volume:?}") };
    let found = lvm.group.unwrap();
    assert_eq!((found.name.as_str(), found.uuid.as_str()), (rows[0][1], rows[0][2]));
    assert_eq!(found.physical, [rows[0][0], rows[1][0]]);
    // The one segment is the first two extents of the first physical volume.
    let layout = &found.layout[0];
    assert_eq!((layout.name.as_str(), &layout.unread), ("root", &None));
    let stripes = vec![(rows[0][0].to_owned(), number(4))];
    let segment = Segment { start: 0, length: 2 * number(6), stripe_size: 0, stripes };
    assert_eq!(layout.segments, [segment]);
    assert_eq!(
        (found.missing, found.logical),
        (vec![rows[1][0].to_owned()], vec!["root".to_owned()]),
        "{made}"
    );

    // Both on one disk: nothing is missing.
    folder.image("disk", 140 * MIB);
    let script = "printf 'label: gpt\\nstart=2048,size=131072\\nstart=133120,size=131072\\n' | sfdisk -q disk
        dd if=image of=disk bs=1M seek=1 conv=notrunc status=none
        dd if=other of=disk bs=1M seek=65 conv=notrunc status=none";
    folder.run(&["sfdisk"], script);
    let found = folder.inspect("disk");
    let missing = |partition: &Partition| match &partition.content.kind {
        VolumeKind::Lvm(lvm) => lvm.group.as_ref().unwrap().missing.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found.partitions.iter().map(missing).collect::<Vec<_>>(), [0, 0]);

    // A byte of the text altered: its checksum is no longer right.
    let text = folder.read_at("image", 0, usize::try_from(MIB).unwrap());
    let at = text.windows(group.len()).rposition(|window| window == group.as_bytes()).unwrap();
    folder.write_at("image", at as u64, b"X");
    let VolumeKind::Lvm(lvm) = folder.inspect("image").whole.unwrap().kind else { panic!() };
    assert_eq!((lvm.group, lvm.unread), (None, Some("the checksum of its metadata is wrong")));
}

#[test]
fn logical_volumes_are_where_lvm_says_that_they_are() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.image("other", 64 * MIB);
    need_tools(["pvcreate", "vgcreate", "lvcreate", "lvextend", "lvs", "pvs", "losetup"]);
    let devices = loop_devices(&folder, &["image", "other"]);
    let group = format!("imspreptest{}", std::process::id());
    let lvm = |command: &str, args: &str| {
        let filter = devices.iter().map(|device| format!("\"a|^{device}$|\"")).collect::<Vec<_>>().join(",");
        let config = format!(
            "devices {{ use_devicesfile=0 filter=[{filter},\"r|.*|\"] scan_lvs=0 }} \
            activation {{ udev_sync=0 udev_rules=0 }} backup {{ backup=0 archive=0 }}"
        );
        folder.output(&format!(
            "LVM_SUPPRESS_FD_WARNINGS=1 {command} --driverloaded n --config '{config}' {args}"
        ))
    };
    let quietly = "-y -an -Zn -Wn";
    let [one, other] = devices.as_slice() else { unreachable!("two were made") };
    let mut made = lvm("pvcreate", &format!("-y {one} {other}"))
        + &lvm("vgcreate", &format!("-y {group} {one} {other}"));
    made += &lvm("lvcreate", &format!("{quietly} -l 3 -n root {group} {one}"));
    made += &lvm("lvcreate", &format!("{quietly} -l 2 -n between {group} {one}"));
    made += &lvm("lvcreate", &format!("{quietly} -l 4 -i 2 -I 64k -n striped {group}"));
    made += &lvm("lvextend", &format!("-l +2 {group}/root {one}"));
    let told = lvm(
        "lvs",
        &format!(
            "--noheadings --units b --nosuffix --segments -o lv_name,seg_size,stripe_size,seg_pe_ranges {group}"
        ),
    );
    let starts = lvm("pvs", "--noheadings --units b --nosuffix -o pv_name,pv_uuid,pe_start,vg_extent_size");
    detach(&folder, &devices);
    // By LVM: of each device its UUID, where its extents begin, and their size.
    let physical: Vec<Vec<&str>> = starts.lines().map(|line| line.split_whitespace().collect()).collect();
    let place = |range: &str| {
        let (device, extents) = range.split_once(':').unwrap();
        let first: u64 = extents.split('-').next().unwrap().parse().unwrap();
        let found = physical.iter().find(|fields| fields.first() == Some(&device)).unwrap();
        let number = |index: usize| found[index].parse::<u64>().unwrap();
        (found[1].to_owned(), number(2) + first * number(3))
    };
    let mut theirs: Vec<SegmentFound> = told
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        // Warnings stand among them.
        .filter(|fields| fields.len() > 3 && fields[1].parse::<u64>().is_ok())
        .map(|fields| {
            let places = fields[3..].iter().map(|range| place(range)).collect();
            (fields[0].to_owned(), fields[1].parse().unwrap(), fields[2].parse().unwrap(), places)
        })
        .collect();
    assert_eq!(theirs.len(), 4, "{made}{told}");
    let inspection = folder.inspect("image");
    let VolumeKind::Lvm(lvm) = &inspection.whole.as_ref().unwrap().kind else { panic!("{inspection:?}") };
    let mut ours = Vec::new();
    for volume in &lvm.group.as_ref().unwrap().layout {
        assert_eq!(volume.unread, None, "{}", volume.name);
        let mut next = 0;
        for segment in &volume.segments {
            assert_eq!(segment.start, next, "{}", volume.name);
            next += segment.length;
            ours.push((volume.name.clone(), segment.length, segment.stripe_size, segment.stripes.clone()));
        }
    }
    // The segments of each volume are in their order.
    theirs.sort_by(|one, other| one.0.cmp(&other.0));
    ours.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(ours, theirs, "{told}{starts}");
}
