// Figures runs the benchmarks and prints one table: what Moult takes, beside the
// naive way and beside the tool that people use for the job, all from the same run.
//
//	go run ./testdata/scripts/figures [-input FILE] [-write README.md]
//
// -input reads the output of `go test -bench` instead of running anything. -write
// also replaces what stands between the marks in the file, together with the
// machine that the figures are from. A figure that the run has not given is an
// error, unless its tool is not installed.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	input := flag.String("input", "", "read the output of the benchmarks from this file")
	write := flag.String("write", "", "replace the table in this file, too")
	flag.Parse()
	if err := run(*input, *write); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func run(input, write string) error {
	var text []byte
	var err error
	if input != "" {
		text, err = os.ReadFile(input)
	} else {
		text, err = measure()
	}
	if err != nil {
		return err
	}
	results := parse(text)
	t, missing := table(results)
	t = machine(time.Now()) + "\n\n" + t
	fmt.Print(t)
	if len(missing) > 0 {
		return fmt.Errorf("the run has no %s", strings.Join(missing, ", "))
	}
	if write == "" {
		return nil
	}
	document, err := os.ReadFile(write)
	if err == nil {
		document, err = replace(document, t)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", write, err)
	}
	return os.WriteFile(write, document, 0o644)
}

// measure runs the benchmarks that the table needs, package by package.
func measure() ([]byte, error) {
	var all bytes.Buffer
	for _, set := range sets() {
		args := []string{"test", "-run", "^$", "-bench", "^(" + strings.Join(set.names, "|") + ")$", "-timeout", "20m", set.pkg}
		fmt.Fprintln(os.Stderr, "go", strings.Join(args, " "))
		// What one package left for the disk to write is not charged to the next.
		if err := exec.Command("sync").Run(); err != nil {
			return nil, err
		}
		cmd := exec.Command("go", args...)
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&all, os.Stderr), os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("benchmarks of %s: %w", set.pkg, err)
		}
	}
	return all.Bytes(), nil
}

// set is the benchmarks of a package.
type set struct {
	pkg   string
	names []string
}

// sets are the benchmarks of all rows, in the order of the table.
func sets() (all []set) {
	for _, r := range rows {
		for _, f := range []*figure{&r.ours, r.naive, r.peer} {
			if f == nil || f.bench == "" {
				continue
			}
			name, _, _ := strings.Cut(f.bench, "/")
			i := slices.IndexFunc(all, func(s set) bool { return s.pkg == r.pkg })
			if i < 0 {
				all, i = append(all, set{pkg: r.pkg}), len(all)
			}
			if !slices.Contains(all[i].names, name) {
				all[i].names = append(all[i].names, name)
			}
		}
	}
	return all
}

// results are the values of a run: by benchmark and unit.
type results map[string]map[string]float64

// line is what `go test -bench` prints for one benchmark: its name, with the number
// of processors, how often it ran, and values with their units.
var line = regexp.MustCompile(`^(Benchmark\S*?)(?:-\d+)?\s+\d+\s+(\S.*)$`)

// parse reads the output of `go test -bench`.
func parse(text []byte) results {
	r := results{}
	for l := range strings.Lines(string(text)) {
		m := line.FindStringSubmatch(strings.TrimSpace(l))
		if m == nil {
			continue
		}
		values := map[string]float64{}
		fields := strings.Fields(m[2])
		for i := 0; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				values[fields[i+1]] = v
			}
		}
		r[m[1]] = values
	}
	return r
}

// table writes the table in Markdown and names the figures that are missing.
func table(r results) (text string, missing []string) {
	var b strings.Builder
	b.WriteString("| | Moult | the naive way | the usual tool |\n|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |", row.what)
		for _, f := range []*figure{&row.ours, row.naive, row.peer} {
			cell, ok := f.cell(r)
			if !ok && !f.optional() {
				missing = append(missing, f.bench+" "+f.unit)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteByte('\n')
	}
	return b.String(), missing
}

// The marks between which the table stands in a document.
const (
	begin = "<!-- figures: written by make bench WRITE=README.md -->\n"
	end   = "<!-- end of figures -->\n"
)

// replace puts the table between the marks of a document.
func replace(document []byte, table string) ([]byte, error) {
	head, rest, found := bytes.Cut(document, []byte(begin))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, errors.New("the marks of the figures are not there")
	}
	return slices.Concat(head, []byte(begin), []byte(table), []byte(end), tail), nil
}
