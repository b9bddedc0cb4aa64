package fetch_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"testing"
	"time"

	"moult/core/fetch"
	"moult/core/release"
)

// The server holds the rest back until the test has read the beginning.
func TestTransferIsReadWhileItRuns(t *testing.T) {
	content := random(3*release.ChunkSize + 10)
	o, dir := newOrigin(t, content), tempRoot(t)
	read := make(chan struct{})
	o.answer = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Write(content[:release.ChunkSize+100])
		w.(http.Flusher).Flush()
		select {
		case <-read:
		case <-time.After(5 * time.Second):
			return true
		}
		w.Write(content[release.ChunkSize+100:])
		return true
	}
	tr := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
	defer tr.Close()
	first := make([]byte, release.ChunkSize)
	if _, err := tr.ReadAt(first, 0); err != nil || !bytes.Equal(first, content[:release.ChunkSize]) {
		t.Fatalf("the first chunk: %v", err)
	}
	close(read)
	all, err := io.ReadAll(io.NewSectionReader(tr, 0, int64(len(content))))
	if err != nil || !bytes.Equal(all, content) {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	if n, err := tr.ReadAt(first, int64(len(content))-5); n != 5 || err != io.EOF {
		t.Errorf("beyond the end: %d, %v", n, err)
	}
	if d, err := tr.Wait(); err != nil || d != release.DigestOf(content) {
		t.Errorf("%s, %v", d, err)
	}
	expect(t, dir, content)
}

func TestTransferNeverShowsUnverifiedBytes(t *testing.T) {
	content := random(3 * release.ChunkSize)
	o, dir := newOrigin(t, flip(content, release.ChunkSize+1)), tempRoot(t)
	tr := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
	defer tr.Close()
	b := make([]byte, 10)
	if _, err := tr.ReadAt(b, 100); err != nil || !bytes.Equal(b, content[100:110]) {
		t.Errorf("good chunk: %v", err)
	}
	if n, err := tr.ReadAt(b, release.ChunkSize); n != 0 || !errors.Is(err, fetch.ErrHash) {
		t.Errorf("bad chunk: %d bytes, %v", n, err)
	}
	if _, err := tr.Wait(); !errors.Is(err, fetch.ErrHash) {
		t.Errorf("wait: %v", err)
	}
	expectNothing(t, dir)
}

func TestTransferOfAFinishedAndOfAResumedFile(t *testing.T) {
	content := random(2*release.ChunkSize + 10)
	o, dir := newOrigin(t, content), tempRoot(t)
	o.cut = release.ChunkSize + 5
	if _, err := clientWith(t, fetch.Options{Attempts: 1}).Download(t.Context(), request(dir, chunkHashes, content, o.URL), nil); err == nil {
		t.Fatal("the cut download succeeded")
	}
	o.cut = 0
	for range 2 {
		tr := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
		defer tr.Close()
		all, err := io.ReadAll(io.NewSectionReader(tr, 0, int64(len(content))))
		if err != nil || !bytes.Equal(all, content) {
			t.Fatalf("%d bytes, %v", len(all), err)
		}
		if _, err := tr.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := o.counts(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestStoppedTransferEnds(t *testing.T) {
	content := random(2 * release.ChunkSize)
	o, dir := newOrigin(t, content), tempRoot(t)
	o.answer = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	tr := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
	defer tr.Close()
	time.AfterFunc(10*time.Millisecond, tr.Stop)
	if _, err := tr.ReadAt(make([]byte, 1), 0); err == nil {
		t.Error("a stopped transfer gave a byte")
	}
	if _, err := tr.Wait(); err == nil {
		t.Error("a stopped transfer succeeded")
	}
	expectNothing(t, dir)
}

// The pieces are as they should be and the whole is not: no mirror can mend that, and
// what has been read must not turn into something that nobody has verified.
func TestTransferWithHashesThatContradictEachOtherEndsAtOnce(t *testing.T) {
	content := random(2*release.ChunkSize + 10)
	first, second, dir := newOrigin(t, content), newOrigin(t, content), tempRoot(t)
	r := request(dir, chunkHashes, content, first.URL, second.URL)
	r.Digest = release.DigestOf([]byte("another file"))
	tr := newClient(t).Start(t.Context(), r, nil)
	defer tr.Close()
	if _, err := tr.Wait(); !errors.Is(err, fetch.ErrHash) {
		t.Errorf("got %v, want ErrHash", err)
	}
	if n, err := tr.ReadAt(make([]byte, 10), 100); err == nil {
		t.Errorf("%d bytes of the refused file were read", n)
	}
	if n, _ := second.counts(); n > 0 {
		t.Error("the second mirror was asked")
	}
	expectNothing(t, dir)
}

func TestTransferShowsNothingBeforeItsProof(t *testing.T) {
	content := random(2*release.ChunkSize + 10)
	refusal := errors.New("signed by somebody else")
	for _, verdict := range []error{nil, refusal} {
		for _, size := range []int64{0, int64(len(content))} {
			o, dir := newOrigin(t, content), tempRoot(t)
			r := request(dir, chunkHashes, content, o.URL)
			r.Size = size
			proving, decide := make(chan struct{}), make(chan struct{})
			r.Prove = func(f *os.File) error {
				if all, err := io.ReadAll(f); err != nil || !bytes.Equal(all, content) {
					t.Errorf("%d bytes are to be proven, %v", len(all), err)
				}
				close(proving)
				<-decide
				return verdict
			}
			tr := newClient(t).Start(t.Context(), r, nil)
			defer tr.Close()
			read := make(chan error, 1)
			go func() {
				b := make([]byte, 10)
				_, err := tr.ReadAt(b, 0)
				if err == nil && !bytes.Equal(b, content[:10]) {
					err = errors.New("other bytes")
				}
				read <- err
			}()
			<-proving
			select {
			case err := <-read:
				t.Errorf("read before the proof: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			close(decide)
			if err := <-read; !errors.Is(err, verdict) {
				t.Errorf("read: %v, want %v", err, verdict)
			}
			if _, err := tr.Wait(); !errors.Is(err, verdict) {
				t.Errorf("wait: %v, want %v", err, verdict)
			}
			if verdict != nil {
				expectNothing(t, dir)
			} else {
				expect(t, dir, content)
			}
		}
	}
}

func TestDiscardRemovesWhatADownloadLeft(t *testing.T) {
	content := random(2 * release.ChunkSize)
	o, dir := newOrigin(t, content), tempRoot(t)
	o.cut = release.ChunkSize + 5
	if _, err := clientWith(t, fetch.Options{Attempts: 1}).Download(t.Context(), request(dir, chunkHashes, content, o.URL), nil); err == nil {
		t.Fatal("the cut download succeeded")
	}
	for range 2 { // the second time there is nothing
		if err := fetch.Discard(dir, "package"); err != nil {
			t.Fatal(err)
		}
		if left, err := fs.ReadDir(dir.FS(), "."); err != nil || len(left) > 0 {
			t.Errorf("%v is left, %v", left, err)
		}
	}
}
