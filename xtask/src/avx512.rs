//! The tests of the tier of 512-bit vectors, on a processor that has them or is emulated.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use gosync_rollsum::Tier;

use crate::command::{self, cargo, root};
use crate::packages;
use crate::steps::Steps;

/// Which tests: of a package, the binary and the names, where not all take part. They hold the
/// tier against scalar code and the hash crates, by themselves and in the engine.
const TESTS: [(&str, &str, &[&str]); 5] = [
    ("gosync-rollsum", "gosync_rollsum", &[]),
    ("gosync-rollsum", "guard", &[]),
    ("gosync-sums", "gosync_sums", &["lanes::", "strong::"]),
    ("gosync-sums", "guard", &[]),
    ("gosync-comparer", "it", &["boundaries", "several_seeds", "the_target_itself", "any_small_data"]),
];

/// What the tests see. They fail where there is no such tier, so none passes for lack of it.
const ENVIRONMENT: [(&str, &str); 3] =
    [("GOSYNC_TIER", "avx512"), ("RUST_TEST_THREADS", "1"), ("PROPTEST_CASES", "16")];

/// Debian's packages of programs that this runs.
const PACKAGES: [&str; 6] = ["bochs", "bochsbios", "vgabios", "isolinux", "xorriso", "cpio"];

/// Static programs, which need nothing else in the emulator.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What is cleared is what Bochs 2.7 says of this processor and does not quite keep: it gives
/// the sizes of saved registers wrong, and lacks counters; and FSRM without ERMS, which Linux 6.1
/// turns off there, has that move bytes wrong.
const KERNEL_OPTIONS: &str = "console=ttyS0,115200 quiet panic=-1 reboot=triple tsc=reliable tsc_early_khz=50000 \
                              mitigations=off cryptomgr.notests clearcpuid=pku,xsaves,xsavec,fsrm,aperfmperf";

/// What the emulated machine says last, when all tests passed.
const PASSED: &str = "all tests passed on avx512";

/// Builds the tests and runs them.
///
/// # Errors
///
/// When one fails, or there is neither the tier nor an emulator.
pub(crate) fn run(steps: &mut Steps, install: bool) -> anyhow::Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("this takes Linux on x86-64");
    }
    let mut programs = Vec::new();
    steps.run("building the tests", || {
        programs = build()?;
        Ok(())
    })?;
    if Tier::Avx512.is_available() {
        return steps.run("tests on this machine", || {
            programs.iter().zip(TESTS).try_for_each(|(program, (.., names))| {
                command::run(Command::new(program).args(names).envs(ENVIRONMENT))
            })
        });
    }
    let folder = root().join("target/avx512");
    steps.run("a disc to boot from", || make_disc(&folder, &programs, install))?;
    steps.run("tests in Bochs", || emulate(&folder))
}

/// The test programs, in the order of [`TESTS`].
fn build() -> anyhow::Result<Vec<PathBuf>> {
    let mut command = cargo(["test", "--release", "--tests", "--no-run", "--message-format=json", "--target", TARGET]);
    TESTS.iter().for_each(|(package, ..)| _ = command.args(["--package", package]));
    command.env("RUSTFLAGS", "-C target-feature=+crt-static").env("CARGO_PROFILE_RELEASE_LTO", "false");
    let built = command::output(command.stderr(Stdio::inherit()))?;
    if !built.status.success() {
        bail!("cannot build the tests");
    }
    let messages: Vec<serde_json::Value> =
        built.stdout.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let program = |(package, binary, _): (&str, &str, &[&str])| {
        let is_it = |message: &&serde_json::Value| {
            let of_package = message["manifest_path"].as_str().and_then(|path| Path::new(path).parent());
            let folder = package.trim_start_matches("gosync-");
            of_package.is_some_and(|path| path.ends_with(folder)) && message["target"]["name"] == binary
        };
        let executable = messages.iter().filter(is_it).find_map(|message| message["executable"].as_str());
        executable.map(PathBuf::from).with_context(|| format!("cargo built no tests `{binary}` of {package}"))
    };
    TESTS.into_iter().map(program).collect()
}

/// A CD with Debian's kernel, and a memory disk with the tests that it runs and then powers off.
fn make_disc(folder: &Path, programs: &[PathBuf], install: bool) -> anyhow::Result<()> {
    let is_there = ["bochs", "xorriso", "cpio"].iter().all(|program| command::find(program).is_some())
        && Path::new("/usr/lib/ISOLINUX/isolinux.bin").is_file();
    if !(is_there || install && packages::install(&PACKAGES)) {
        bail!("install the emulator, on Debian 12 with `sudo apt-get install {}`", PACKAGES.join(" "));
    }
    let (memory, disc) = (folder.join("memory"), folder.join("disc"));
    for path in [&memory, &disc] {
        if path.exists() {
            fs::remove_dir_all(path)?;
        }
    }
    for path in [memory.join("bin"), memory.join("dev"), memory.join("proc"), memory.join("tmp"), disc.join("isolinux")]
    {
        fs::create_dir_all(path)?;
    }
    let depends = command::output(Command::new("apt-cache").args(["depends", "linux-image-cloud-amd64"]))?;
    let depends = String::from_utf8_lossy(&depends.stdout).into_owned();
    let kernel = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    let kernel = kernel.context("apt knows no kernel: run `sudo apt-get update`")?;
    let vmlinuz = unpack(folder, &format!("linux-image-{kernel}"), &format!("boot/vmlinuz-{kernel}"))?;
    fs::copy(vmlinuz, disc.join("isolinux/vmlinuz"))?;
    fs::copy(unpack(folder, "busybox-static", "bin/busybox")?, memory.join("bin/busybox"))?;

    let mut script = "#!/bin/busybox sh\n".to_owned();
    for (kind, path) in [("proc", "/proc"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp")] {
        script += &format!("/bin/busybox mount -t {kind} none {path}\n");
    }
    ENVIRONMENT.iter().for_each(|(name, value)| script += &format!("export {name}={value}\n"));
    for (index, (program, (.., names))) in programs.iter().zip(TESTS).enumerate() {
        fs::copy(program, memory.join(format!("bin/tests{index}")))?;
        script += &format!("/bin/tests{index} {} &&\n", names.join(" "));
    }
    // The serial line is slow: what was said last is still to come out.
    script += &format!("echo {PASSED}\n/bin/busybox sleep 1\n/bin/busybox poweroff -f\n");
    fs::write(memory.join("init"), script)?;
    shell(
        &memory,
        "strip bin/tests* && chmod +x init && find . | cpio --create --quiet --format newc > ../disc/isolinux/memory",
    )?;

    for file in
        ["ISOLINUX/isolinux.bin", "syslinux/modules/bios/ldlinux.c32"].map(|file| Path::new("/usr/lib").join(file))
    {
        fs::copy(&file, disc.join("isolinux").join(file.file_name().unwrap_or_default()))?;
    }
    let menu = format!("DEFAULT linux\nLABEL linux\nKERNEL vmlinuz\nINITRD memory\nAPPEND {KERNEL_OPTIONS}\n");
    fs::write(disc.join("isolinux/isolinux.cfg"), menu)?;
    let boot = "-b isolinux/isolinux.bin -c isolinux/catalog -no-emul-boot -boot-load-size 4 -boot-info-table";
    shell(folder, &format!("xorriso -as mkisofs -quiet -o disc.iso {boot} disc"))
}

/// Downloads a package of Debian, unless it is there, and tells where `file` of it is.
fn unpack(folder: &Path, package: &str, file: &str) -> anyhow::Result<PathBuf> {
    let unpacked = folder.join(package);
    let path = unpacked.join(file);
    if !path.is_file() {
        fs::create_dir_all(&unpacked)?;
        shell(&unpacked, &format!("apt-get download {package} && dpkg --extract {package}_*.deb ."))?;
    }
    if path.is_file() { Ok(path) } else { bail!("Debian's {package} has no {file}") }
}

fn shell(folder: &Path, line: &str) -> anyhow::Result<()> {
    command::run(Command::new("sh").args([OsStr::new("-c"), OsStr::new(line)]).current_dir(folder))
}

/// Boots the disc, and shows what the machine says on its serial line.
fn emulate(folder: &Path) -> anyhow::Result<()> {
    let configuration = "config_interface: textconfig\n\
        display_library: rfb, options=\"timeout=0\"\n\
        cpu: model=corei7_icelake_u, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1\n\
        memory: guest=512, host=512\n\
        romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot\n\
        vgaromimage: file=/usr/share/vgabios/vgabios.bin\n\
        ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n\
        ata0-master: type=cdrom, path=disc.iso, status=inserted\n\
        boot: cdrom\n\
        log: bochs.log\n\
        panic: action=fatal\n\
        com1: enabled=1, mode=file, dev=/dev/stdout\n\
        clock: sync=none\n";
    fs::write(folder.join("bochsrc"), configuration)?;
    // Debian's has a debugger in it, which waits to be told to go on.
    fs::write(folder.join("start"), "c\n")?;
    let mut command = Command::new("timeout");
    command.args(["3600", "bochs", "-q", "-f", "bochsrc", "-rc", "start"]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut bochs = command.spawn().context("cannot run bochs")?;
    let mut has_passed = false;
    for line in BufReader::new(bochs.stdout.take().context("bochs has no output")?).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        has_passed |= line == PASSED;
        eprintln!("{line}");
    }
    bochs.wait()?;
    if has_passed {
        Ok(())
    } else {
        bail!("not all tests passed; {} may tell more", folder.join("bochs.log").display())
    }
}
