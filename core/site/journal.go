package site

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// JournalFile is the name of an update's journal in its directory.
const JournalFile = "journal"

// maxRecord is the longest record, in bytes. A record that could be longer is
// split by its writer.
const maxRecord = 16 << 20

// Record is one entry of a journal.
type Record struct {
	Kind string          `json:"kind"`
	Time time.Time       `json:"time"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Journal is an append-only file of records, each a line: the CRC-32C of the rest
// in hexadecimal, a blank, the record as JSON.
//
// [Journal.Append] does not wait for the disk: one [Journal.Sync] after many
// records costs 2.6 µs for each, one after every record 760 µs. What comes after
// the last Sync may be lost or torn by a power cut; opening the journal cuts it
// at the first record that is not whole.
//
// A Journal may be used by several goroutines.
type Journal struct {
	mu     sync.Mutex
	f      *os.File
	buf    []byte // begins with the records that wait to be written
	waits  int    // how many bytes of it they are
	failed error  // once a write failed, the tail is unknown
}

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// Journal opens the update's journal, making it if need be, and returns the
// records in it.
func (u *Update) Journal() (*Journal, []Record, error) {
	f, err := u.Root.OpenFile(JournalFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	records, whole, err := readJournal(f)
	if err == nil {
		err = cutTail(f, whole)
	}
	if err == nil {
		err = syncDir(u.Root, ".")
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("journal of update %s: %w", u.ID, err)
	}
	return &Journal{f: f}, records, nil
}

// Records reads the journal without changing it, for those who don't hold the lock.
func (u *Update) Records() ([]Record, error) {
	f, err := u.Root.Open(JournalFile)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, _, err := readJournal(f)
	return records, err
}

// readJournal reads records up to the first that is not whole, and returns the
// length in bytes of those that are. They are decoded on every processor: that of
// 20 000 files is what an undo would otherwise wait for.
func readJournal(r io.Reader) (records []Record, whole int64, err error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, err
	}
	lines := linesOf(text)
	records = make([]Record, len(lines))
	ok := make([]bool, len(lines))
	var wg sync.WaitGroup
	share := len(lines)/runtime.GOMAXPROCS(0) + 1
	for first := 0; first < len(lines); first += share {
		wg.Go(func() {
			for i := first; i < min(first+share, len(lines)); i++ {
				records[i], ok[i] = parseRecord(lines[i])
			}
		})
	}
	wg.Wait()
	for i, line := range lines {
		if !ok[i] {
			return records[:i], whole, nil
		}
		whole += int64(len(line)) + 1
	}
	return records, whole, nil
}

// linesOf returns the lines of a journal, without a torn one at its end.
func linesOf(text []byte) (lines [][]byte) {
	for {
		line, rest, ended := bytes.Cut(text, []byte{'\n'})
		if !ended || len(line) > maxRecord {
			return lines
		}
		lines, text = append(lines, line), rest
	}
}

const crcDigits = 8

func parseRecord(line []byte) (Record, bool) {
	if len(line) < crcDigits+1 || line[crcDigits] != ' ' {
		return Record{}, false
	}
	sum, err := strconv.ParseUint(string(line[:crcDigits]), 16, 32)
	body := line[crcDigits+1:]
	if err != nil || crc32.Checksum(body, crcTable) != uint32(sum) {
		return Record{}, false
	}
	if rec, ok := cutRecord(body); ok {
		return rec, true
	}
	var rec Record
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&rec); err != nil {
		return Record{}, false
	}
	return rec, true
}

// cutRecord cuts a record into its parts where it looks as Append writes it: that
// takes a fifth of the time that decoding does. What looks otherwise is decoded.
func cutRecord(body []byte) (rec Record, ok bool) {
	rest, ok1 := bytes.CutPrefix(body, []byte(`{"kind":"`))
	kind, rest, ok2 := bytes.Cut(rest, []byte(`","time":"`))
	at, rest, ok3 := bytes.Cut(rest, []byte(`","data":`))
	data, ok4 := bytes.CutSuffix(rest, []byte(`}`))
	if !ok1 || !ok2 || !ok3 || !ok4 || bytes.ContainsAny(kind, `"\`) || !json.Valid(data) {
		return Record{}, false
	}
	if err := rec.Time.UnmarshalText(at); err != nil {
		return Record{}, false
	}
	rec.Kind, rec.Data = string(kind), data
	return rec, true
}

func cutTail(f *os.File, whole int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > whole {
		if err := f.Truncate(whole); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	_, err = f.Seek(whole, io.SeekStart)
	return err
}

// Append adds a record. It is on its way to the disk when Append returns, and
// there after the next [Journal.Sync]. After an error every further call returns
// that error: what follows a torn record would not be read back.
func (j *Journal) Append(kind string, data any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.add(kind, data); err != nil {
		return err
	}
	return j.write()
}

// maxWaiting is how many bytes of records wait at most.
const maxWaiting = 256 << 10

// AppendLater adds a record that may be lost with the process until the next
// Append or Sync: for many records that are worth nothing before the last of them.
func (j *Journal) AppendLater(kind string, data any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.add(kind, data); err != nil || j.waits < maxWaiting {
		return err
	}
	return j.write()
}

// write writes the records that wait.
func (j *Journal) write() error {
	if j.waits == 0 {
		return nil
	}
	if _, err := j.f.Write(j.buf[:j.waits]); err != nil {
		j.failed = fmt.Errorf("journal: %w", err)
	}
	j.waits = 0
	return j.failed
}

// add encodes a record and lets it wait. The record is put together by hand: to have
// it marshalled around its data, which would be read once more for that, takes twice
// as long, and an update of 20 000 files has as many records.
func (j *Journal) add(kind string, data any) error {
	if j.failed != nil {
		return j.failed
	}
	line, err := appendRecord(j.buf[:j.waits], kind, time.Now().UTC(), data)
	if err != nil {
		return fmt.Errorf("journal %s: %w", kind, err)
	}
	j.buf, j.waits = line, len(line)
	return nil
}

// appendRecord adds the line of a record to b.
func appendRecord(b []byte, kind string, at time.Time, data any) ([]byte, error) {
	name, err := json.Marshal(kind)
	if err != nil {
		return nil, err
	}
	begin := len(b) + crcDigits + 1
	b = append(append(b, "00000000 {\"kind\":"...), name...)
	b = append(b, `,"time":"`...)
	if b, err = at.AppendText(b); err != nil {
		return nil, err
	}
	b = append(b, '"')
	if data != nil {
		text, err := json.Marshal(data)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"data":`...), text...)
	}
	b = append(b, '}')
	if n := len(b) - begin; n > maxRecord {
		return nil, fmt.Errorf("the record is longer than %d bytes", maxRecord)
	}
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b[begin:], crcTable))
	hex.Encode(b[begin-crcDigits-1:], sum)
	return append(b, '\n'), nil
}

// Sync waits until all records are on the disk.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if err := j.write(); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		j.failed = fmt.Errorf("journal: %w", err)
	}
	return j.failed
}

// Close closes the journal without waiting for the disk.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return errors.Join(j.failed, j.f.Close())
	}
	return errors.Join(j.write(), j.f.Close())
}
