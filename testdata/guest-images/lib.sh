#!/bin/bash
# usage: NAME.sh OUT.raw     (root; loop devices; packages: mmdebstrap fdisk dosfstools e2fsprogs xfsprogs btrfs-progs lvm2 mtools)
# BASE_TAR=file  use this tar of a base tree instead of calling mmdebstrap; APT_CACHE=dir keeps .deb files
set -euo pipefail
OUT=${1:?usage: $0 OUT.raw}; BASE_OUT=${2:-}; W=$(mktemp -d); T=$W/t; mkdir $T; LOOPS=()
cleanup(){ set +e; trap - EXIT; for m in $(awk -v t="$T" 'index($2,t)==1{print $2}' /proc/mounts | tac); do umount $m || umount -l $m; done; for l in "${LOOPS[@]}"; do losetup -d $l; done; rm -rf --one-file-system $W; }
trap cleanup EXIT
BASE_PKGS=linux-image-cloud-amd64,systemd-sysv,udev,dbus,initramfs-tools,openssh-server,grub-pc-bin,grub-efi-amd64-bin,grub2-common,kmod,e2fsprogs,iproute2,zstd,less,ca-certificates
# defaults, overridden by each image below
SIZE=2G FW=bios LVM= FS=ext4 BOOTFS= PKGS= INITRD=initramfs KCMD="console=tty0 console=ttyS0,115200" ROOTARG=uuid FSTABROOT=uuid MKFS_OPTS= CLEAN=1 SERIALLOGIN=1
RU=4f6d1c1e-0a51-4d10-9c8e-7d4b5e3f0a01 BU=4f6d1c1e-0a51-4d10-9c8e-7d4b5e3f0a02 EU=C10D-0E51
loop(){ # offset size [file] -> $L
  L=$(losetup -f --show -o $1 --sizelimit $2 "${3:-$OUT}"); LOOPS+=($L); }
part(){ sfdisk -J "$OUT" | python3 -c "import json,sys;p=json.load(sys.stdin)['partitiontable']['partitions'][$1-1];print(p['start']*512,p['size']*512)"; }
ch(){ chroot $T env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
make_disk(){
  rm -f "$OUT"; truncate -s $SIZE "$OUT"
  if [ $FW = bios ]; then printf 'label: gpt\nsize=1M,type=21686148-6449-6E6F-744E-656564454649\n' >$W/pt; else printf 'label: gpt\nsize=128M,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n' >$W/pt; fi
  [ -n "$BOOTFS" ] && echo "size=300M,type=0FC63DAF-8483-4772-8E79-3D69D8477DE4" >>$W/pt
  if [ -n "$LVM" ]; then echo "type=E6D6D379-F507-44C2-A23C-238F2A3DF928" >>$W/pt; else echo "type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" >>$W/pt; fi
  sfdisk -q "$OUT" <$W/pt
  N=2; if [ -n "$BOOTFS" ]; then BOOTP=2; N=3; fi; ROOTP=$N
  read O S < <(part $ROOTP)
  if [ -n "$LVM" ]; then
    loop $O $S; PV=$L
    LC="devices{use_devicesfile=0 filter=[\"a|^$PV\$|\",\"r|.*|\"] scan_lvs=0} activation{udev_sync=0 udev_rules=0} backup{backup=0 archive=0}"
    pvcreate -q --driverloaded n --config "$LC" $PV; vgcreate -q --driverloaded n --config "$LC" vg0 $PV
    lvcreate -q --driverloaded n --config "$LC" -an -Zn -Wn -L 128M -n swap vg0; lvcreate -q --driverloaded n --config "$LC" -an -Zn -Wn -l 100%FREE -n root vg0
    PE=$(pvs --driverloaded n --config "$LC" --noheadings --units b --nosuffix -o pe_start $PV|tr -d ' ')
    XS=$(pvs --driverloaded n --config "$LC" --noheadings --units b --nosuffix --segments -o pvseg_start,lv_name,vg_extent_size,pvseg_size $PV|awk '$2=="root"{print $1,$3,$4}')
    set -- $XS; O=$((O+PE+$1*$2)); S=$(($3*$2)); loop $((O-S*0)) $S; RL=$L; LVSWAP=1
  else loop $O $S; RL=$L; fi
  ROOT_OFF=$O; ROOT_LEN=$S
  case $FS in ext4) mkfs.ext4 -q -U $RU $MKFS_OPTS $RL;; xfs) mkfs.xfs -q -m uuid=$RU $MKFS_OPTS $RL;; btrfs) mkfs.btrfs -q -U $RU $MKFS_OPTS $RL;; esac
  if [ $FS = btrfs ]; then mount $RL $T; btrfs -q subvolume create $T/@; btrfs -q subvolume create $T/@home; umount $T; mount -o compress=zstd,subvol=@ $RL $T; else mount $RL $T; fi
  mkdir -p $T/boot
  if [ -n "$BOOTFS" ]; then read O S < <(part $BOOTP); loop $O $S; mkfs.$BOOTFS -q -U $BU $L; mount $L $T/boot; fi
  if [ $FW = efi ]; then read O S < <(part 1); loop $O $S; mkfs.vfat -F32 -i ${EU/-/} $L >/dev/null; mkdir -p $T/boot/efi; mount -t tmpfs none $T/boot/efi; fi   # the kernel here may have no vfat: mtools copies at the end
}
base(){ mmdebstrap --quiet --variant=minbase --include=$BASE_PKGS --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' bookworm "$1"; }
make_tree(){
  if [ -n "${BASE_TAR:-}" ]; then tar xf "$BASE_TAR" -C $T --exclude=./dev/*; else base $W/base.tar; tar xf $W/base.tar -C $T --exclude=./dev/*; rm $W/base.tar; fi
  mount -t tmpfs none $T/dev; for d in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0" "console 5 1"; do set -- $d; mknod -m 666 $T/dev/$1 c $2 $3; done
  ln -s /proc/self/fd $T/dev/fd; ln -s /proc/self/fd/0 $T/dev/stdin; ln -s /proc/self/fd/1 $T/dev/stdout; ln -s /proc/self/fd/2 $T/dev/stderr; mkdir -p $T/dev/pts $T/dev/shm
  for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do mknod $T/dev/loop$i b 7 $i; done; mkdir -p $T/dev/disk/by-uuid; ln -s ../../${RL##*/} $T/dev/disk/by-uuid/$RU
  mount -t proc none $T/proc; mount -t sysfs -o ro none $T/sys
  mkdir -p $T/run; [ -n "${APT_CACHE:-}" ] && mount --bind "$APT_CACHE" $T/var/cache/apt/archives
  for f in resolv.conf hosts; do [ -e /etc/$f ] && cp -L --remove-destination /etc/$f $T/etc/$f; done
  printf '#!/bin/sh\nexit 101\n' >$T/usr/sbin/policy-rc.d; chmod +x $T/usr/sbin/policy-rc.d
  mkdir -p $T/etc/default; printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=1\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="%s"\nGRUB_TERMINAL=console\nGRUB_DISABLE_OS_PROBER=true\n' "$KCMD" >$T/etc/default/grub
  echo guest >$T/etc/hostname
  { case $FSTABROOT in uuid) D=UUID=$RU;; *) D=$FSTABROOT;; esac
    case $FS in ext4) echo "$D / ext4 errors=remount-ro 0 1";; xfs) echo "$D / xfs defaults 0 0";; btrfs) echo "$D / btrfs subvol=@,compress=zstd 0 0"; echo "$D /home btrfs subvol=@home,compress=zstd 0 0";; esac
    [ -n "$BOOTFS" ] && echo "UUID=$BU /boot $BOOTFS defaults 0 2"; [ $FW = efi ] && echo "UUID=$EU /boot/efi vfat umask=0077 0 1"; [ -n "$LVM" ] && echo "/dev/mapper/vg0-swap none swap sw,nofail 0 0"; true; } >$T/etc/fstab
  if [ -n "$PKGS" ]; then ch apt-get update -q >/dev/null; ch apt-get install -y -q --no-install-recommends $PKGS >$W/apt.log 2>&1 || { tail -30 $W/apt.log; exit 1; }; fi
  echo root:guest | ch chpasswd
  [ "$INITRD" = initramfs ] && { declare -F initrd_conf >/dev/null && initrd_conf; ch update-initramfs -u -k all >/dev/null 2>&1; }
  KV=$(ls $T/lib/modules); IR=$T/boot/initrd.img-$KV
  [ "$INITRD" = dracut ] && dracut_run
  declare -F custom >/dev/null && custom
  return 0
}
boot_loader(){
  if [ $FW = bios ]; then
    mkdir -p $T/boot/grub; cp -r $T/usr/lib/grub/i386-pc $T/boot/grub/
    P=/boot/grub; GP=$ROOTP; [ -n "$BOOTFS" ] && { P=/grub; GP=$BOOTP; }; [ $FS = btrfs ] && P=/@/boot/grub
    ch grub-mkimage -O i386-pc -o /boot/grub/i386-pc/core.img -p "(hd0,gpt$GP)$P" biosdisk part_gpt ext2 xfs btrfs search normal
    python3 - "$OUT" $T/boot/grub/i386-pc $(part 1) <<'P'
import sys,struct
out,d,off,ln=sys.argv[1],sys.argv[2],int(sys.argv[3]),int(sys.argv[4]);s=off//512
core=bytearray(open(d+'/core.img','rb').read());core+=b'\0'*(-len(core)%512);assert len(core)<=ln
core[0x1f4:0x200]=struct.pack('<QHH',s+1,len(core)//512-1,0x820)
boot=bytearray(open(d+'/boot.img','rb').read());boot[0x5c:0x64]=struct.pack('<Q',s)
with open(out,'r+b') as f: f.seek(0);f.write(boot[:440]);f.seek(off);f.write(core)
P
  elif [ -z "${NOGRUB:-}" ]; then
    mkdir -p $T/boot/grub $T/boot/efi/EFI/debian; GP=$ROOTP; P=/boot/grub
    printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' $RU >$T/boot/efi/EFI/debian/grub.cfg
    ch grub-mkimage -O x86_64-efi -o /boot/efi/EFI/debian/grubx64.efi -p /EFI/debian part_gpt fat ext2 xfs btrfs search search_fs_uuid configfile normal linux gzio echo all_video gfxterm test
    [ -n "${FALLBACK:-}" ] && { mkdir -p $T/boot/efi/EFI/BOOT; cp $T/boot/efi/EFI/debian/grubx64.efi $T/boot/efi/EFI/BOOT/BOOTX64.EFI; }
  fi
  if [ -z "${NOGRUB:-}" ]; then
    # 10_linux writes no entry at all for a root on a file-backed /dev/loop0-9: tell it another device
    printf '#!/bin/sh\necho "x: 0 (/dev/disk/by-uuid/%s)"\n' $RU >$T/usr/local/sbin/losetup; chmod +x $T/usr/local/sbin/losetup
    ch env PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin grub-mkconfig -o /boot/grub/grub.cfg >/dev/null 2>$W/g.log || { cat $W/g.log; exit 1; }
    sed -i -E '/^[[:space:]]*(loopback loop|set root=\(loop)/d' $T/boot/grub/grub.cfg   # what prepare_grub_to_access_device writes for a loop device
    rm $T/usr/local/sbin/losetup; grep -q '^menuentry' $T/boot/grub/grub.cfg || { echo 'no menuentry in grub.cfg'; exit 1; }
    if [ -n "$LVM" ]; then sed -i "s#root=UUID=$RU#root=/dev/mapper/vg0-root#" $T/boot/grub/grub.cfg; fi
    case $ROOTARG in uuid) ;; *) sed -i "s#root=UUID=$RU#root=$ROOTARG#" $T/boot/grub/grub.cfg;; esac
    declare -F grub_edit >/dev/null && grub_edit
  fi
  return 0
}
finish(){
  rm -f $T/usr/sbin/policy-rc.d $T/etc/resolv.conf; : >$T/etc/resolv.conf; printf '127.0.0.1 localhost\n127.0.1.1 guest\n' >$T/etc/hosts
  if [ -n "$CLEAN" ]; then rm -f $T/etc/ssh/ssh_host_*; : >$T/etc/machine-id; fi
  [ -n "${APT_CACHE:-}" ] && umount $T/var/cache/apt/archives; if [ $FW = efi ]; then read O S < <(part 1); mcopy -Q -s -i "$OUT@@$O" $T/boot/efi/* ::; fi; rm -rf $T/var/cache/apt/*.bin $T/var/cache/apt/archives/*.deb $T/var/lib/apt/lists/*; sync
  echo "$(basename "$OUT") root: fs=$FS offset=$ROOT_OFF length=$ROOT_LEN boot: ${BOOTP:+partition $BOOTP} kernel=$KV"
}
run(){ [ "$OUT" != --base ] || { base "$BASE_OUT"; return; }; make_disk; make_tree; boot_loader; finish; }
net_ifupdown(){ mkdir -p $T/etc/network; printf 'auto lo\niface lo inet loopback\n\nallow-hotplug %s\niface %s inet dhcp\n' $1 $1 >$T/etc/network/interfaces; }
#### the image
