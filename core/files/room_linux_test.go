package files

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestAttributesGoOverAndTimesAreNow(t *testing.T) {
	sc := scenario{shipped: contents{"d/a": "1", "d/b": "1"}, new: contents{"d/a": "2", "d/b": "2", "d/n/new": "2"}, full: true}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			sc.way = way.choice
			w := build(t, scratch(t), sc)
			defer w.close()
			a := filepath.Join(w.dir, "d", "a")
			if err := unix.Setxattr(a, "user.moult-test", []byte("kept"), 0); err != nil {
				t.Skipf("extended attributes: %v", err)
			}
			long := time.Now().Add(-1000 * time.Hour)
			must(t, os.Chtimes(a, long, long))
			must(t, os.Chtimes(filepath.Join(w.u.Root.Name(), "contents/d/a"), long, long))
			start := time.Now().Add(-time.Second)
			w.makePlan()
			w.all(way.wrap(&faultyDisk{}))
			value := make([]byte, 64)
			n, err := unix.Getxattr(a, "user.moult-test", value)
			if err != nil || string(value[:n]) != "kept" {
				t.Errorf("the attribute is %q, %v", value[:max(n, 0)], err)
			}
			for _, p := range []string{"d/a", "d/n/new"} {
				if m := mustLstat(t, w, p).ModTime(); m.Before(start) {
					t.Errorf("%s was modified %v", p, m)
				}
			}
			if _, err := w.undo(way.wrap(&faultyDisk{})); err != nil {
				t.Fatal(err)
			}
			if m := mustLstat(t, w, "d/a").ModTime(); m.Unix() != long.Unix() {
				t.Errorf("after the undo d/a was modified %v, before %v", m, long)
			}
		})
	}
}

func TestAccessListsGoOver(t *testing.T) {
	setfacl, err := exec.LookPath("setfacl")
	if err != nil {
		t.Skip("setfacl is not installed")
	}
	sc := scenario{shipped: contents{"d/a": "1", "d/b": "1"}, new: contents{"d/a": "2", "d/b": "2", "d/new": "2"}, full: true, way: "file"}
	w := build(t, t.TempDir(), sc)
	defer w.close()
	for _, arg := range [][]string{{"-m", "u:12345:rw", "d/a"}, {"-d", "-m", "u:12345:rx", "d"}} {
		cmd := exec.Command(setfacl, arg...)
		cmd.Dir = w.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("setfacl: %v, %s", err, out)
		}
	}
	acl := func(p string) string {
		value := make([]byte, 1024)
		n, err := unix.Getxattr(filepath.Join(w.dir, p), aclAccess, value)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%x", value[:n])
	}
	before := acl("d/a")
	w.makePlan()
	w.all(realDisk{})
	if after := acl("d/a"); after != before {
		t.Errorf("the access list of d/a was %s and is %s", before, after)
	}
	if acl("d/new") == unix.ENODATA.Error() {
		t.Error("d/new has no access list, though its directory hands one on")
	}
}

// TestFullDiskIsUndoneWithTheReserve fills a small file system up in the middle of
// an update. It needs the right to mount one.
func TestFullDiskIsUndoneWithTheReserve(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("a small file system can't be mounted: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	w := build(t, dir, scenarios[1])
	defer w.close()
	before := w.digest()
	w.makePlan()
	if err := w.stage(realDisk{}); err != nil {
		t.Fatal(err)
	}
	fill, err := os.Create(filepath.Join(dir, "fill"))
	must(t, err)
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = fill.Write(block)
	}
	fill.Close()
	if err := w.switchOver(realDisk{}); err == nil {
		t.Log("the switch needed no room")
	} else if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the switch says %v", err)
	}
	if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 {
		t.Fatalf("undo on a full disk: %v, %q", err, notes)
	}
	if w.digest() != before {
		t.Errorf("the site holds %v", w.tree())
	}
}

func TestQuotaLowersWhatIsLeft(t *testing.T) {
	disk := room{bytes: 10 << 20, files: 100}
	tests := []struct {
		name string
		have room
		q    dqblk
		want room
	}{
		{"no limit", disk, dqblk{space: 1 << 30, inodes: 50}, disk},
		{"more than the disk has", disk, dqblk{blockLimit: 1 << 40, inodeLimit: 1 << 40}, disk},
		{"fewer bytes", disk, dqblk{blockLimit: 2048, space: 1 << 20}, room{bytes: 1 << 20, files: 100, quota: true}},
		{"used up", disk, dqblk{blockLimit: 1, space: 1 << 20}, room{files: 100, quota: true}},
		{"fewer files", disk, dqblk{inodeLimit: 60, inodes: 50}, room{bytes: 10 << 20, files: 10, quota: true}},
		{"files, where the disk has no limit", room{bytes: 1, files: -1}, dqblk{inodeLimit: 60, inodes: 50}, room{bytes: 1, files: 10, quota: true}},
		{"a limit that no number holds", disk, dqblk{blockLimit: 1<<64 - 1}, disk},
	}
	for _, test := range tests {
		r := test.have
		r.limit(test.q, true)
		if r != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, r, test.want)
		}
		r = test.have
		if r.limit(test.q, false); r != test.have {
			t.Errorf("%s, not in force: %+v", test.name, r)
		}
	}
}

// TestQuotaIsFoundBeforeAnythingChanges sets a quota for the user that runs the test,
// on a file system of its own.
func TestQuotaIsFoundBeforeAnythingChanges(t *testing.T) {
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 64<<20))
	for _, arg := range [][]string{{"mkfs.ext4", "-q", "-F", "-O", "quota", "-E", "quotatype=usrquota", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(arg[0], arg[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%s: %v, %s", arg[0], err, out)
		}
	}
	t.Cleanup(func() { must(t, exec.Command("umount", dir).Run()) })
	w := build(t, dir, scenarios[1])
	defer w.close()
	w.makePlan()
	check := func(want ...string) {
		t.Helper()
		problems, err := Preflight(t.Context(), w.site, w.plan)
		must(t, err)
		var codes []string
		for _, p := range problems {
			codes = append(codes, p.Code)
		}
		if diff := cmp.Diff(want, codes); diff != "" {
			t.Errorf("problems (-want +got):\n%s%+v", diff, problems)
		}
	}
	check()
	f, err := os.Open(w.dir)
	must(t, err)
	defer f.Close()
	limit := func(blocks, inodes uint64) {
		t.Helper()
		const setQuota, limits = 0x800008, 1 | 4 // Q_SETQUOTA, QIF_BLIMITS | QIF_ILIMITS of linux/quota.h
		q := dqblk{blockLimit: blocks, inodeLimit: inodes, valid: limits}
		if _, _, errno := unix.Syscall6(unix.SYS_QUOTACTL_FD, f.Fd(), uintptr(setQuota<<8|userQuota), uintptr(os.Geteuid()), uintptr(unsafe.Pointer(&q)), 0, 0); errno != 0 {
			t.Skipf("a quota can't be set: %v", errno)
		}
	}
	limit(1, 0)
	check("quota")
	limit(0, 1)
	check("quota")
	limit(1<<30, 1<<20)
	check()
}

// TestImmutableFileIsFoundBeforeAnythingChanges needs a file system with the flag,
// and the right to set it.
func TestImmutableFileIsFoundBeforeAnythingChanges(t *testing.T) {
	w := build(t, t.TempDir(), scenarios[0])
	defer w.close()
	name := filepath.Join(w.dir, "index.php")
	if err := exec.Command("chattr", "+i", name).Run(); err != nil {
		t.Skipf("chattr +i: %v", err)
	}
	defer exec.Command("chattr", "-i", name).Run()
	w.makePlan()
	problems, err := Preflight(t.Context(), w.site, w.plan)
	must(t, err)
	if len(problems) != 1 || problems[0].Level != Block || problems[0].Code != "permissions" {
		t.Errorf("problems %+v", problems)
	}
}
