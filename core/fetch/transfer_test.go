package fetch_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
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
	tr, err := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, release.ChunkSize)
	if _, err := tr.ReadAt(first, 0); err != nil || !bytes.Equal(first, content[:release.ChunkSize]) {
		t.Fatalf("the first chunk: %v", err)
	}
	close(read)
	all, err := io.ReadAll(io.NewSectionReader(tr, 0, tr.Size()))
	if err != nil || !bytes.Equal(all, content) {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	if n, err := tr.ReadAt(first, tr.Size()-5); n != 5 || err != io.EOF {
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
	tr, err := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
	if err != nil {
		t.Fatal(err)
	}
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
		tr, err := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(io.NewSectionReader(tr, 0, tr.Size()))
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
	tr, err := newClient(t).Start(t.Context(), request(dir, chunkHashes, content, o.URL), nil)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, tr.Stop)
	if _, err := tr.ReadAt(make([]byte, 1), 0); err == nil {
		t.Error("a stopped transfer gave a byte")
	}
	if _, err := tr.Wait(); err == nil {
		t.Error("a stopped transfer succeeded")
	}
	expectNothing(t, dir)
}
