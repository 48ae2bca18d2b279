//! Images that no tool of a Debian makes, laid out by the specification.

pub(crate) fn put(bytes: &mut [u8], offset: usize, what: &[u8]) {
    bytes[offset..offset + what.len()].copy_from_slice(what);
}

pub(crate) fn qcow2_with_bits() -> Vec<u8> {
    let mut b = vec![0; 128 << 10];
    put(&mut b, 0, b"QFI\xfb\0\0\0\x03");
    put(&mut b, 20, &16_u32.to_be_bytes());
    put(&mut b, 24, &(8_u64 << 20).to_be_bytes());
    put(&mut b, 72, &(1_u64 << 60 | 3).to_be_bytes());
    put(&mut b, 96, &4_u32.to_be_bytes());
    put(&mut b, 100, &104_u32.to_be_bytes());
    b
}

pub(crate) fn vhd_of_two_sizes() -> Vec<u8> {
    use imsprep_ondisk::format::vhd::{Footer, TYPE_FIXED, checksum};
    let mut footer = [0; Footer::SIZE];
    put(&mut footer, 0, &Footer::COOKIE);
    put(&mut footer, 8, &[0, 0, 0, 2, 0, 1]);
    put(&mut footer, 16, &[0xff; 8]);
    put(&mut footer, 28, b"qemu");
    put(&mut footer, 40, &(1_u64 << 20).to_be_bytes());
    put(&mut footer, 48, &(1_u64 << 20).to_be_bytes());
    put(&mut footer, 56, &[0, 10, 4, 17]);
    put(&mut footer, 60, &TYPE_FIXED.to_be_bytes());
    let sum = checksum(&footer, Footer::CHECKSUM_OFFSET);
    put(&mut footer, Footer::CHECKSUM_OFFSET, &sum.to_be_bytes());
    [&vec![0; 1 << 20][..], &footer].concat()
}

pub(crate) fn vhd_differencing() -> Vec<u8> {
    use imsprep_ondisk::format::vhd::{DynamicHeader, Footer, TYPE_DIFFERENCING, checksum};
    let mut footer = [0; Footer::SIZE];
    put(&mut footer, 0, &Footer::COOKIE);
    put(&mut footer, 8, &[0, 0, 0, 2, 0, 1]);
    put(&mut footer, 16, &512_u64.to_be_bytes());
    put(&mut footer, 28, b"win ");
    put(&mut footer, 40, &(2_u64 << 20).to_be_bytes());
    put(&mut footer, 48, &(2_u64 << 20).to_be_bytes());
    put(&mut footer, 56, &[0, 60, 4, 17]);
    put(&mut footer, 60, &TYPE_DIFFERENCING.to_be_bytes());
    let sum = checksum(&footer, Footer::CHECKSUM_OFFSET);
    put(&mut footer, Footer::CHECKSUM_OFFSET, &sum.to_be_bytes());
    let mut header = [0; DynamicHeader::SIZE];
    put(&mut header, 0, &DynamicHeader::COOKIE);
    put(&mut header, 8, &[0xff; 8]);
    put(&mut header, 16, &1536_u64.to_be_bytes());
    put(&mut header, 24, &[0, 1, 0, 0, 0, 0, 0, 1, 0, 0x20, 0, 0]);
    put(&mut header, 64, &"base.vhd".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    let sum = checksum(&header, DynamicHeader::CHECKSUM_OFFSET);
    put(&mut header, DynamicHeader::CHECKSUM_OFFSET, &sum.to_be_bytes());
    [&footer[..], &header, &[0xff; 512], &footer].concat()
}

pub(crate) fn parallels_old() -> Vec<u8> {
    let mut b = vec![0; 1 << 20];
    put(&mut b, 0, b"WithoutFreeSpace\x02");
    put(&mut b, 20, &[16, 0, 0, 0, 32, 0, 0, 0]);
    put(&mut b, 28, &2048_u32.to_le_bytes());
    put(&mut b, 32, &8_u32.to_le_bytes());
    put(&mut b, 36, &16384_u64.to_le_bytes());
    put(&mut b, 44, b"v2.1");
    b
}

pub(crate) const PARALLELS_XML: &str = "<?xml version='1.0' encoding='UTF-8'?>
<Parallels_disk_image Version=\"1.0\">
    <Disk_Parameters>
        <Disk_size>16384</Disk_size>
        <Padding>0</Padding>
        <Encryption>
            <Engine>{00000000-0000-0000-0000-000000000000}</Engine>
            <Data></Data>
        </Encryption>
    </Disk_Parameters>
    <StorageData>
        <Storage>
            <Start>0</Start>
            <End>16384</End>
            <Blocksize>2048</Blocksize>
            <Image>
                <GUID>{5fbaabe3-6958-40ff-92a7-860e329aab41}</GUID>
                <Type>Compressed</Type>
                <File>disk.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds</File>
            </Image>
        </Storage>
    </StorageData>
    <Snapshots>
        <Shot>
            <GUID>{5fbaabe3-6958-40ff-92a7-860e329aab41}</GUID>
            <ParentGUID>{00000000-0000-0000-0000-000000000000}</ParentGUID>
        </Shot>
    </Snapshots>
</Parallels_disk_image>
";

pub(crate) fn bochs_growing() -> Vec<u8> {
    let mut b = vec![0; 1024];
    put(&mut b, 0, b"Bochs Virtual HD Image");
    put(&mut b, 32, b"Redolog");
    put(&mut b, 48, b"Growing");
    put(&mut b, 64, &0x0002_0000_u32.to_le_bytes());
    put(&mut b, 68, &512_u32.to_le_bytes());
    put(&mut b, 72, &8_u32.to_le_bytes());
    put(&mut b, 76, &256_u32.to_le_bytes());
    put(&mut b, 80, &(1_u32 << 20).to_le_bytes());
    put(&mut b, 88, &(8_u64 << 20).to_le_bytes());
    put(&mut b, 512, &[0xff; 32]);
    b
}

pub(crate) fn cloop() -> Vec<u8> {
    let mut b = vec![0; 128];
    put(&mut b, 0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n");
    b.extend(512_u32.to_be_bytes());
    b.extend(4_u32.to_be_bytes());
    for n in 0..5_u64 {
        b.extend((176 + n * 16).to_be_bytes());
    }
    b.extend([0; 64]);
    b
}

pub(crate) fn dmg() -> Vec<u8> {
    let mut b = vec![0; (8 << 20) + 512];
    let trailer = 8 << 20;
    put(&mut b, trailer, b"koly\0\0\0\x04\0\0\x02\0");
    put(&mut b, trailer + 32, &(8_u64 << 20).to_be_bytes());
    put(&mut b, trailer + 60, &1_u32.to_be_bytes());
    put(&mut b, trailer + 492, &16384_u64.to_be_bytes());
    b
}
