package fetch_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"moult/core/release"
)

// The disk fills up in the middle of a chunk. What fitted is kept, and the next attempt,
// when there is room, fetches no more than that chunk again.
func TestFullDiskLeavesAPartToGoOnWith(t *testing.T) {
	content := random(3*release.ChunkSize + 17)
	for _, k := range []knowledge{wholeHash, chunkHashes} {
		place := t.TempDir()
		mount := func(options string) {
			if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", place).CombinedOutput(); err != nil {
				t.Skipf("a file system can't be mounted here: %s", out)
			}
		}
		mount("size=1600k")
		t.Cleanup(func() { exec.Command("umount", "-l", place).Run() })
		dir, err := os.OpenRoot(place)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		o := newOrigin(t, content)
		if _, err := newClient(t).Download(t.Context(), request(dir, k, content, o.URL), nil); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%s: got %v, want a full disk", k, err)
		}
		if n, _ := o.counts(); n != 1 {
			t.Errorf("%s: %d requests: no server can mend a full disk", k, n)
		}
		expectNothing(t, dir)
		mount("remount,size=8m")
		o.sent = 0
		if _, err := newClient(t).Download(t.Context(), request(dir, k, content, o.URL), nil); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		expect(t, dir, content)
		if _, sent := o.counts(); sent > int64(len(content)-release.ChunkSize) {
			t.Errorf("%s: %d bytes were sent of %d, though more than a chunk was here", k, sent, len(content))
		}
	}
}
