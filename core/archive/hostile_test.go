package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hostile is one archive that must be refused. Entry is the name that the refusal
// gives, "" where no entry is to blame.
type hostile struct {
	name   string
	entry  string
	reason string
	bytes  []byte
	limits Limits
}

// hostileTars are refused in each compression.
func hostileTars(t testing.TB) []hostile {
	first := regular("a-good-file", "good")
	one := func(name, reason string, e tarEntry) hostile {
		return hostile{name: name, entry: e.Name, reason: reason, bytes: buildTar(t, first, e)}
	}
	two := func(name, reason string, e, f tarEntry) hostile {
		return hostile{name: name, entry: f.Name, reason: reason, bytes: buildTar(t, first, e, f)}
	}
	rename := func(to string) func([]byte) {
		return func(block []byte) { copy(block[:100], to+strings.Repeat("\x00", 100-len(to))) }
	}
	raw := func(name string) tarEntry {
		e := regular(name, "x")
		e.fix = rename(name)
		e.Name = "placeholder"
		return e
	}
	rawCase := func(name, reason, entry string) hostile {
		return hostile{name: name, entry: entry, reason: reason, bytes: buildTar(t, first, raw(entry))}
	}
	long := strings.Repeat("d/", 1600) + "f"
	return []hostile{
		one("parent", `has the part ".."`, regular("../evil", "x")),
		one("parent deep inside", `has the part ".."`, regular("a/b/../../../evil", "x")),
		one("parent at the end", `has the part ".."`, tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "a/..", Mode: 0o755}}),
		one("parent behind a dot", `has the part ".."`, regular("./../evil", "x")),
		one("parent in Windows' way", "not portable", regular(`..\evil`, "x")),
		one("absolute", "is absolute", regular("/tmp/evil", "x")),
		one("absolute behind a dot", "is absolute", regular(".//tmp/evil", "x")),
		one("drive", "not portable", regular("C:/evil", "x")),
		one("network share", "not portable", regular(`\\server\share`, "x")),
		one("dot inside", `has the part "."`, regular("a/./b", "x")),
		one("doubled slash", "has an empty part", regular("a//b", "x")),
		one("the root as a file", `has the part "."`, regular(".", "x")),
		one("longer than any system takes", "longer than", regular(long, "x")),
		one("a name longer than any system takes", "longer than", regular(strings.Repeat("n", 300), "x")),
		one("deeper than any tree", "lies deeper than 100", regular(strings.Repeat("d/", 100)+"f", "x")),
		rawCase("no name", "is empty", ""),
		rawCase("bytes that are no letters", "is not UTF-8", "bad\xff\xfe"),
		rawCase("line break", "control character", "a\nb"),
		rawCase("escape sequence", "control character", "a\x1b[31mb"),
		one("symbolic link out", "is a symbolic link", special(tar.TypeSymlink, "link", "/etc")),
		one("symbolic link inside", "is a symbolic link", special(tar.TypeSymlink, "link", "a-good-file")),
		one("hard link out", "is a hard link", special(tar.TypeLink, "link", "../../outside/canary")),
		one("hard link inside", "is a hard link", special(tar.TypeLink, "link", "a-good-file")),
		one("character device", "is a character device", special(tar.TypeChar, "null", "")),
		one("block device", "is a block device", special(tar.TypeBlock, "sda", "")),
		one("named pipe", "is a named pipe", special(tar.TypeFifo, "pipe", "")),
		one("contiguous file", "is a contiguous file", special(tar.TypeCont, "cont", "")),
		one("kind of another world", "unknown kind", special('Z', "what", "")),
		{name: "old sparse file", entry: "a-good-file", reason: "can't read what follows it",
			bytes: buildTar(t, first, tarEntry{Header: special(tar.TypeReg, "sparse", "").Header, fix: func(b []byte) { b[156] = tar.TypeGNUSparse }})},
		one("sparse file by records", "sparse file", withRecord(sparse("s"), "XXX.sparse.name", "evil")),
		{name: "sparse file by a map", entry: "a-good-file", reason: "can't read what follows it", bytes: buildTar(t, first, withRecord(sparse("s"), "XXX.sparse.map", "0,1"))},
		one("extended attribute", "extended attribute", withRecord(regular("attr", "x"), "SCHILY.xattr.security.capability", "x")),
		one("access control list", "extended attribute", withRecord(regular("acl", "x"), "SCHILY.acl.access", "user::rwx")),
		one("SELinux label", "extended attribute", withRecord(regular("label", "x"), "RHT.security.selinux", "x")),
		one("record of another world", "unknown record", withRecord(regular("vendor", "x"), "ACME.magic", "x")),
		{name: "record that renames", entry: "../evil", reason: `has the part ".."`, bytes: buildTar(t, first, withPath("../evil"))},
		{name: "record for all that follow", entry: "../evil", reason: "changes path of all entries",
			bytes: buildTar(t, first, tarEntry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "../evil"}}}, regular("b", "x"))},
		one("set-user-ID", "set-user-ID", withMode(regular("su", "x"), 0o4755)),
		one("set-group-ID", "set-user-ID", withMode(regular("sg", "x"), 0o2755)),
		one("sticky", "set-user-ID", withMode(regular("st", "x"), 0o1644)),
		one("set-group-ID directory", "set-user-ID", tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o2755}}),
		one("not readable", "owner could not read", withMode(regular("secret", "x"), 0o222)),
		one("mode of a link", "not that of a file", withMode(regular("file", "x"), 0o120777)),
		one("mode of a device", "not that of a file", withMode(regular("file", "x"), 0o020644)),
		one("mode of a file on a directory", "not that of a directory", tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o100755}}),
		one("mode out of range", "impossible mode", withMode(regular("file", "x"), 0o200644)),
		rawCase("file that is called a directory", "ends in a slash", "dir/"),
		two("twice", "is in the archive twice", regular("b", "1"), regular("b", "2")),
		two("twice behind a dot", "is in the archive twice", regular("b", "1"), regular("./b", "2")),
		two("directory twice", "is in the archive twice", tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o755}}, tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o755}}),
		two("once in capitals", "is the same as", regular("read.me", "1"), regular("READ.ME", "2")),
		two("directory once in capitals", "is the same as", regular("d/a", "1"), regular("D/b", "2")),
		two("composed and decomposed", "is the same as", regular("caf\u00e9", "1"), regular("cafe\u0301", "2")),
		two("capitals beyond ASCII", "is the same as", regular("Übung", "1"), regular("übung", "2")),
		two("capitals that fold to two letters", "is the same as", regular("straße", "1"), regular("STRASSE", "2")),
		two("invisible letter", "is the same as", regular("index.php", "1"), regular("ind\u200cex.php", "2")),
		two("directory that is a file", "which is a file in this archive", regular("b", "1"), regular("b/c", "2")),
		two("file that is a directory", "was a directory before", regular("b/c", "1"), regular("b", "2")),
		one("Windows' short name", "can stand for another file", regular("GIT~1/config", "x")),
		one("Windows' short name with extension", "can stand for another file", regular("htacce~1.txt", "x")),
		one("Windows' device", "Windows reserves", regular("a/nul", "x")),
		one("Windows' device with extension", "Windows reserves", regular("Com1.log", "x")),
		one("Windows' device with superscript", "Windows reserves", regular("lpt²", "x")),
		one("stream", "not portable", regular("index.php::$DATA", "x")),
		one("dot at the end", "ends in a dot or a blank", regular("index.php.", "x")),
		one("blank at the end", "ends in a dot or a blank", regular("index.php ", "x")),
		one("wildcard", "not portable", regular("*.php", "x")),
		one("Moult's own directory", "belongs to Moult itself", regular(".moult/state.json", "x")),
		one("Moult's own directory in capitals", "belongs to Moult itself", regular(".Moult/state.json", "x")),
		one("Moult's own directory with an invisible letter", "belongs to Moult itself", regular(".mo\u200dult/state.json", "x")),
		one("description in capitals", "is spelled almost like", regular(".Moult-Package/package.json", "x")),
		one("program in the description", "is nothing that", withMode(regular(PackageDir+"/run.sh", "x"), 0o755)),
		one("script out of the description", `has the part ".."`, regular(PackageDir+"/scripts/../../evil", "x")),
		{name: "one entry too many", entry: "c", reason: "at most 2 entries", bytes: buildTar(t, first, regular("b", "x"), regular("c", "x")), limits: Limits{Entries: 2}},
		{name: "too many directories", entry: "b/c/d/e/f", reason: "makes too many directories", bytes: buildTar(t, first, regular("b/c/d/e/f", "x")), limits: Limits{Entries: 4}},
		{name: "file too large", entry: "b", reason: "more than 10 bytes", bytes: buildTar(t, first, regular("b", "eleven byte")), limits: Limits{FileBytes: 10}},
		{name: "all together too large", entry: "c", reason: "contents to more than 10 bytes", bytes: buildTar(t, first, regular("b", "five5"), regular("c", "xx")), limits: Limits{TotalBytes: 10}},
		{name: "too well packed", entry: "zeros", reason: "times the size of the archive", bytes: buildTar(t, first, regular("zeros", strings.Repeat("\x00", ratioFloor+1))), limits: Limits{Ratio: 10}},
		{name: "promises more than there is", entry: "short", reason: "unexpected EOF", bytes: cutAfter(buildTar(t, first, regular("short", strings.Repeat("x", 5000))), 3000)},
		{name: "cut in a header", entry: "a-good-file", reason: "can't read what follows it", bytes: cutAfter(buildTar(t, first, regular("b", "x")), 1024+200)},
		{name: "damaged header", entry: "a-good-file", reason: "can't read what follows it", bytes: flip(buildTar(t, first, regular("b", "x")), 1024+10)},
		{name: "negative size", entry: "a-good-file", reason: "can't read what follows it", bytes: buildTar(t, first, tarEntry{Header: tar.Header{Typeflag: tar.TypeReg, Name: "b", Mode: 0o644}, fix: func(b []byte) { copy(b[124:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") }})},
		{name: "second tar behind the first", reason: "something follows its last entry", bytes: append(buildTar(t, first), buildTar(t, regular("b", "x"))...)},
		{name: "junk behind the end", reason: "something follows its last entry", bytes: append(buildTar(t, first), "junk"...)},
		{name: "endless padding", reason: "bytes of padding", bytes: append(buildTar(t, first), make([]byte, maxPadding+bufferSize+1)...)},
		{name: "nothing at all", reason: "holds nothing", bytes: buildTar(t)},
		{name: "no tar", reason: "it is not a tar", bytes: bytes.Repeat([]byte("not a tar "), 200)},
	}
}

// sparse is a file whose records become those of a sparse one, which the writer
// doesn't write.
func sparse(name string) tarEntry {
	e := regular(name, "x")
	e.fix = func(b []byte) { copy(b[bytes.Index(b, []byte("XXX.sparse")):], "GNU.sparse") }
	return e
}

func withPath(p string) tarEntry {
	// A record "path" replaces what the header says.
	e := regular(p, "x")
	e.Format = tar.FormatPAX
	return e
}

func cutAfter(b []byte, n int) []byte { return b[:n] }

func flip(b []byte, at int) []byte { b[at] ^= 0x40; return b }

func hostileZips(t testing.TB) []hostile {
	good := zipped("a-good-file", "good")
	plain := buildZip(t, good, zipped("b", "contents of b"))
	stored := func(name, body string) zipEntry {
		e := zipped(name, body)
		e.Method = zip.Store
		return e
	}
	one := func(name, reason string, e zipEntry) hostile {
		return hostile{name: name, entry: e.Name, reason: reason, bytes: buildZip(t, good, e)}
	}
	return []hostile{
		one("parent", `has the part ".."`, zipped("../evil", "x")),
		one("parent in Windows' way", "not portable", zipped(`..\..\evil`, "x")),
		one("absolute", "is absolute", zipped("/evil", "x")),
		one("drive", "not portable", zipped("c:evil", "x")),
		one("symbolic link", "not that of a file", zipMode("link", 0o120777, "/etc")),
		one("directory that is a link", "not that of a directory", zipMode("root/", 0o120777, "")),
		one("file that says it is a directory", "not that of a file", zipMode("file", 0o040755, "x")),
		one("named pipe", "not that of a file", zipMode("pipe", 0o010644, "")),
		one("device", "not that of a file", zipMode("sda", 0o060644, "")),
		one("set-user-ID", "set-user-ID", zipMode("su", 0o104755, "x")),
		one("not readable", "owner could not read", zipMode("none", 0o100200, "x")),
		one("DOS directory without slash", "attributes that are not those of a file", zipEntry{zip.FileHeader{Name: "dos", ExternalAttrs: 0x10}, ""}),
		one("Moult's own directory", "belongs to Moult itself", zipped(".moult/x", "x")),
		one("Windows' device", "Windows reserves", zipped("aux.php", "x")),
		{name: "twice", entry: "b", reason: "is in the archive twice", bytes: buildZip(t, good, zipped("b", "1"), zipped("b", "2"))},
		{name: "once in capitals", entry: "B", reason: "is the same as", bytes: buildZip(t, good, zipped("b", "1"), zipped("B", "2"))},
		{name: "encrypted", entry: "b", reason: "is encrypted", bytes: patchZip(patchZip(plain, centralSignature, 1, func(b []byte) { b[8] |= 1 }), localSignature, 1, func(b []byte) { b[6] |= 1 })},
		{name: "unknown method", entry: "b", reason: "unknown method 99", bytes: patchZip(patchZip(plain, centralSignature, 1, put16(10, 99)), localSignature, 1, put16(8, 99))},
		{name: "two names", entry: "b", reason: `is called "c" in front`, bytes: patchZip(plain, localSignature, 1, func(b []byte) { b[30] = 'c' })},
		{name: "two methods", entry: "b", reason: "described differently", bytes: patchZip(plain, localSignature, 1, put16(8, 0))},
		{name: "two entries with the same contents", entry: "b", reason: "overlaps another entry", bytes: patchZip(plain, centralSignature, 1, put32(42, 0))},
		{name: "junk in front", entry: "a-good-file", reason: "in front of its contents", bytes: append([]byte("PK\x03\x04 and a program"), plain...)},
		{name: "junk behind", reason: "something follows its end", bytes: append(bytes.Clone(plain), "junk"...)},
		{name: "entry that the directory hides", reason: "something stands between", bytes: hideEntry(plain)},
		{name: "longer than it says", entry: "b", reason: "", bytes: patchZip(plain, centralSignature, 1, put32(24, 3))},
		{name: "shorter than it says", entry: "b", reason: "", bytes: patchZip(plain, centralSignature, 1, put32(24, 3000))},
		{name: "wrong checksum", entry: "b", reason: "can't be unpacked", bytes: patchZip(plain, centralSignature, 1, put32(16, 12345))},
		{name: "damaged contents", entry: "b", reason: "can't be unpacked", bytes: flip(buildZip(t, stored("b", "contents of b")), 30+1+5)},
		{name: "cut off", reason: "is not a zip", bytes: cutAfter(bytes.Clone(plain), len(plain)-10)},
		{name: "too many", reason: "at most 1 are allowed", bytes: plain, limits: Limits{Entries: 1}},
		{name: "file too large", entry: "b", reason: "more than 10 bytes", bytes: plain, limits: Limits{FileBytes: 10}},
		{name: "too well packed", entry: "zeros", reason: "times the size of the archive", bytes: buildZip(t, good, zipped("zeros", strings.Repeat("\x00", ratioFloor+1))), limits: Limits{Ratio: 10}},
	}
}

// hideEntry makes the directory of a zip of two entries know only the first.
func hideEntry(b []byte) []byte {
	second := bytes.LastIndex(b, []byte(centralSignature))
	end := bytes.LastIndex(b, []byte(endSignature))
	first := bytes.Index(b, []byte(centralSignature))
	out := append(bytes.Clone(b[:second]), b[end:]...)
	tail := out[second:]
	binary.LittleEndian.PutUint16(tail[8:], 1)
	binary.LittleEndian.PutUint16(tail[10:], 1)
	binary.LittleEndian.PutUint32(tail[12:], uint32(second-first))
	return out
}

// hostileStreams are at fault in their compression.
func hostileStreams(t testing.TB) []hostile {
	good := buildTar(t, regular("a-good-file", strings.Repeat("good ", 5000)))
	all := []hostile{
		{name: "neither of the formats", reason: "none of tar.gz", bytes: []byte("Rar!\x1a\x07\x00 and more")},
		{name: "no bytes", reason: "none of tar.gz", bytes: nil},
		{name: "xz that wants 4 GiB", reason: "needs a dictionary of", bytes: wantDictionary(packed(t, TarXZ, good), 40)},
		{name: "zstd that wants 1 GiB", reason: "window size", bytes: wantWindow(good)},
	}
	for _, f := range []Format{TarGzip, TarXZ, TarZstd} {
		b := packed(t, f, good)
		all = append(all,
			hostile{name: string(f) + " cut off", reason: "", bytes: cutAfter(bytes.Clone(b), len(b)*2/3)},
			hostile{name: string(f) + " without its end", reason: "", bytes: cutAfter(bytes.Clone(b), len(b)-3)},
			hostile{name: string(f) + " with junk behind", reason: "", bytes: append(bytes.Clone(b), "junk behind the end of the stream"...)},
			hostile{name: string(f) + " damaged", reason: "", bytes: flip(bytes.Clone(b), len(b)/2)},
			hostile{name: string(f) + " in itself", reason: "", bytes: packed(t, f, b)},
		)
	}
	return all
}

// wantDictionary makes the first block of an xz file ask for another dictionary.
func wantDictionary(b []byte, bits byte) []byte {
	i := bytes.Index(b, []byte{lzma2Filter, 1})
	b[i+2] = bits
	return b
}

// wantWindow makes a zstd frame whose window descriptor says 1 GiB: RFC 8878 §3.1.1.1.2.
func wantWindow(plain []byte) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, (30 - 10) << 3}
	n := uint32(len(plain))
	b = append(b, byte(n<<3|1), byte(n>>5), byte(n>>13)) // one last, raw block
	return append(b, plain...)
}

// outside is everything below a directory but the directory that is extracted to.
func outside(t testing.TB, top, inside string) map[string]string {
	t.Helper()
	seen := map[string]string{}
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p == inside {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen[p] = fmt.Sprint(info.Mode(), info.ModTime())
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			seen[p] += string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// refuse extracts a hostile archive in the middle of a tree, and checks that the
// refusal names what is to blame and that the rest of the tree did not change.
func refuse(t *testing.T, h hostile, b []byte) {
	t.Helper()
	top := t.TempDir()
	inside := filepath.Join(top, "site", "stage")
	for _, d := range []string{inside, filepath.Join(top, "outside"), filepath.Join(top, "site", "evil.d")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"outside/canary", "site/index.php", "canary"} {
		if err := os.WriteFile(filepath.Join(top, p), []byte("canary"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := outside(t, top, inside)
	_, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), openRoot(t, inside), h.limits, nil)
	if diff := cmp.Diff(before, outside(t, top, inside)); diff != "" {
		t.Errorf("the tree outside changed:\n%s", diff)
	}
	switch {
	case err == nil:
		t.Fatal("is extracted")
	case !errors.Is(err, ErrRefused):
		t.Errorf("error %v is no refusal", err)
	case !strings.Contains(err.Error(), h.reason):
		t.Errorf("error %v does not say %q", err, h.reason)
	}
	var e *EntryError
	if h.entry != "" && (!errors.As(err, &e) || e.Name != h.entry) {
		t.Errorf("error %v does not name the entry %q", err, h.entry)
	}
	if err := noLinks(inside); err != nil {
		t.Error(err)
	}
}

// noLinks makes sure that only files and directories were made.
func noLinks(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = fmt.Errorf("%s is a %v", p, d.Type())
		}
		return err
	})
}

func TestHostileTarsAreRefusedByName(t *testing.T) {
	for i, h := range hostileTars(t) {
		// Each compression in turn; what is refused is within.
		f := []Format{TarGzip, TarZstd, TarXZ}[i%3]
		t.Run(h.name, func(t *testing.T) { refuse(t, h, packed(t, f, h.bytes)) })
	}
}

func TestHostileZipsAreRefusedByName(t *testing.T) {
	for _, h := range hostileZips(t) {
		t.Run(h.name, func(t *testing.T) { refuse(t, h, h.bytes) })
	}
}

func TestHostileStreamsAreRefused(t *testing.T) {
	for _, h := range hostileStreams(t) {
		t.Run(h.name, func(t *testing.T) { refuse(t, h, h.bytes) })
	}
}

// TestExtractFollowsNoLinkThatIsThere extracts into a directory where somebody put
// links that lead out.
func TestExtractFollowsNoLinkThatIsThere(t *testing.T) {
	top := t.TempDir()
	inside := filepath.Join(top, "stage")
	if err := os.MkdirAll(filepath.Join(top, "outside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"dir", "file"} {
		if err := os.Symlink(filepath.Join(top, "outside"), filepath.Join(inside, link)); err != nil {
			t.Skip("links can't be made here:", err)
		}
	}
	for _, name := range []string{"dir/evil", "file"} {
		b := gz(buildTar(t, regular(name, "x")))
		if _, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), openRoot(t, inside), Limits{}, nil); err == nil {
			t.Errorf("%s was written through a link", name)
		}
	}
	if left, err := os.ReadDir(filepath.Join(top, "outside")); err != nil || len(left) != 0 {
		t.Errorf("outside: %v, %v", left, err)
	}
}

// TestHonestArchivesOfOtherToolsAreRead holds that strictness does not turn away
// what tar and zip really write.
func TestHonestArchivesOfOtherToolsAreRead(t *testing.T) {
	dir := func(name string) tarEntry {
		return tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}}
	}
	for name, b := range map[string][]byte{
		"tar of a directory from within": gz(buildTar(t, dir("./"), regular("./a", "1"), dir("./d/"), regular("./d/b", "2"))),
		"git archive": gz(buildTar(t, tarEntry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "0123456789"}}},
			dir("d/"), regular("a", "1"), regular("d/b", "2"))),
		"mode with its kind":      gz(buildTar(t, withMode(regular("a", "1"), 0o100644), regular("d/b", "2"))),
		"times to the nanosecond": gz(buildTar(t, withTime(regular("a", "1"), time.Unix(1, 23456789)), regular("d/b", "2"))),
		"padding to a record":     gz(append(buildTar(t, regular("a", "1"), regular("d/b", "2")), make([]byte, 10240)...)),
		"two gzip members":        append(gz(buildTar(t, regular("a", "1"))[:1024]), gz(buildTar(t, regular("d/b", "2")))...),
		"zip of DOS":              buildZip(t, zipEntry{zip.FileHeader{Name: "a", Method: zip.Deflate}, "1"}, zipEntry{zip.FileHeader{Name: "d/", ExternalAttrs: 0x10}, ""}, zipEntry{zip.FileHeader{Name: "d/b"}, "2"}),
		"zip with a comment":      withComment(t, zipped("a", "1"), zipped("d/b", "2")),
	} {
		t.Run(name, func(t *testing.T) {
			root := openRoot(t, t.TempDir())
			c, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), root, Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Files) != 2 || len(c.Dirs) != 1 {
				t.Errorf("files %v, directories %v", c.Files, c.Dirs)
			}
			for p, want := range map[string]string{"a": "1", "d/b": "2"} {
				if b, err := root.ReadFile(p); err != nil || string(b) != want {
					t.Errorf("%s holds %q, %v", p, b, err)
				}
			}
		})
	}
}

func withComment(t testing.TB, entries ...zipEntry) []byte {
	b := buildZip(t, entries...)
	put16(len(b)-2, 5)(b)
	return append(b, "hello"...)
}

func TestExtractStopsWhenItsContextEnds(t *testing.T) {
	noise := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, f := range formats {
		b := buildZip(t, zipped("a", string(noise)), zipped("b", string(noise)))
		if f != Zip {
			b = packed(t, f, buildTar(t, regular("a", string(noise)), regular("b", string(noise))))
		}
		ctx, cancel := context.WithCancel(context.Background())
		_, err := Extract(ctx, bytes.NewReader(b), int64(len(b)), openRoot(t, t.TempDir()), Limits{}, func(done, total int64) {
			if done == total {
				t.Errorf("%s: went on to the end", f)
			}
			cancel()
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrRefused) {
			t.Errorf("%s: error %v", f, err)
		}
	}
}

type readerAtFunc func(p []byte, at int64) (int, error)

func (f readerAtFunc) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }

func TestErrorsOfTheDiskAreNoRefusals(t *testing.T) {
	b := gz(buildTar(t, regular("a", "x")))
	root := openRoot(t, t.TempDir())
	if err := root.WriteFile("a", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), root, Limits{}, nil)
	if !errors.Is(err, fs.ErrExist) || errors.Is(err, ErrRefused) {
		t.Errorf("error %v", err)
	}
	_, err = Extract(context.Background(), readerAtFunc(func([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }), 100, root, Limits{}, nil)
	if !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, ErrRefused) {
		t.Errorf("error %v", err)
	}
}
