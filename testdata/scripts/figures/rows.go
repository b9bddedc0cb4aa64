package main

import (
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
)

// row is a line of the table.
type row struct {
	what        string
	pkg         string // of the benchmarks
	ours        figure
	naive, peer *figure // nil: there is none
}

// figure is a value of a run, or words.
type figure struct {
	bench, unit string
	show        func(float64) string
	words       string // after the value, or instead of it
	tool        string // may be missing, and the figure with it
}

// rows are the table. The naive way of files is what most updaters do, file by file:
// read, back up, write, rename. That of a migration is a statement for each change.
var rows = []row{
	update("167 changed files of 60 MB on disk: the site is between two releases for", "disk/167", "window-ms"),
	fileByFile("… file by file, where no directory can be swapped", "disk/167"),
	update("… undone in", "disk/167", "undo-ms"),
	update("… all of it, from the unpacked package to verified and durable", "disk/167", "total-ms"),
	powerCut("… all of it, where a power cut may come at any moment", "disk/167", ""),
	update("the same in memory: between two releases for", "memory/167", "window-ms"),
	update("… all of it", "memory/167", "total-ms"),
	update("20 000 changed files in a site of 200 000 on disk: between two releases for", "disk/20000", "window-ms"),
	fileByFile("… file by file", "disk/20000"),
	update("… undone in", "disk/20000", "undo-ms"),
	update("… all of it", "disk/20000", "total-ms"),
	powerCut("… all of it, where a power cut may come at any moment", "disk/20000", "reckoned from 2 000 files"),
	update("the same in memory: between two releases for", "memory/20000", "window-ms"),
	update("… undone in", "memory/20000", "undo-ms"),
	update("… all of it", "memory/20000", "total-ms"),
	plan("plan 167 changes by a patch in a site of 200 000 files", "200000/patch", false),
	plan("… in a site of 20 000 files", "20000/patch", false),
	plan("… by a full package of 20 000 files, in a site of 200 000", "200000/product", false),
	plan("… by a full package of 200 000, which has to look at each", "200000/full", true),
	{
		what: "unpack 32 MB of tar.zst, confined and hashed", pkg: "./core/archive",
		ours:  figure{bench: "BenchmarkExtract/tar.zst", unit: "ns/op", show: nanoseconds},
		naive: &figure{bench: "BenchmarkExtractNaively", unit: "ns/op", show: nanoseconds},
	},
	{
		what: "download and unpack at once, as a share of one after the other", pkg: "./core/fetch",
		ours:  figure{bench: "BenchmarkOverlap/slow_line", unit: "of-sum", show: ratio},
		naive: &figure{words: "1"},
	},
	{
		what: "1 000 tables: read, compared, planned", pkg: "./core/schema",
		ours: figure{bench: "BenchmarkThousandTablesOneChanged", unit: "ns/op", show: nanoseconds},
	},
	{
		what: "1 000 tables asked of the server", pkg: "./core/database",
		ours: figure{bench: "BenchmarkIntrospect1000Tables", unit: "ns/op", show: nanoseconds},
	},
	{
		what: "a migration of a table of a million rows", pkg: "./core/database",
		ours:  figure{bench: "BenchmarkMigrate1MRows", unit: "s/ours", show: seconds},
		naive: &figure{bench: "BenchmarkMigrate1MRows", unit: "s/predecessor", show: seconds},
	},
	{
		what: "… the longest that a write stands still", pkg: "./core/database",
		ours:  figure{bench: "BenchmarkMigrate1MRows", unit: "s/stall", show: seconds},
		naive: &figure{bench: "BenchmarkMigrate1MRows", unit: "s/predecessor-stall", show: seconds},
	},
	{
		what: "a table and a column of a million rows dropped, and brought back", pkg: "./core/database",
		ours:  figure{bench: "BenchmarkHideAndBringBack1MRows", unit: "ns/op", show: nanoseconds},
		naive: &figure{words: "can't be brought back"},
	},
}

// update is a row about the files of an update.
func update(what, load, unit string) row {
	f := func(way string) figure {
		return figure{bench: "BenchmarkUpdate/" + load + "/" + way, unit: unit, show: milliseconds}
	}
	naive, peer := f("naive"), f("rsync")
	peer.words, peer.tool = "rsync --backup", "rsync"
	return row{what: what, pkg: "./core/files", ours: f("moult-auto"), naive: &naive, peer: &peer}
}

// fileByFile is a row about the time between two releases without the swapping of
// whole directories.
func fileByFile(what, load string) row {
	r := update(what, load, "window-ms")
	r.ours.bench = "BenchmarkUpdate/" + load + "/moult-file"
	return r
}

// powerCut is a row about all of an update beside a naive way that a power cut can't
// harm either: it waits for each backup and each file.
func powerCut(what, load, words string) row {
	r := update(what, load, "total-ms")
	r.naive.bench, r.naive.words, r.peer = "BenchmarkUpdate/"+load+"/naive-fsync", words, nil
	return r
}

// plan is a row about making a plan, beside the time that only looking at all files
// of the site takes.
func plan(what, bench string, looks bool) row {
	f := func(bench string) figure {
		return figure{bench: "BenchmarkPlan/" + bench, unit: "ns/op", show: nanoseconds}
	}
	r := row{what: what, pkg: "./core/files", ours: f(bench)}
	if looks {
		size, _, _ := strings.Cut(bench, "/")
		look := f(size + "/look")
		look.words = "only looking at each"
		r.naive = &look
	}
	return r
}

// cell is what stands in the table for a figure; false means that the run has none.
func (f *figure) cell(r results) (string, bool) {
	if f == nil {
		return "", true
	}
	if f.bench == "" {
		return f.words, true
	}
	v, ok := r[f.bench][f.unit]
	if !ok {
		return "–", false
	}
	text := f.show(v)
	if f.words != "" {
		text += ", " + f.words
	}
	return text, true
}

// optional reports whether the figure may be missing here.
func (f *figure) optional() bool {
	if f.tool == "" {
		return false
	}
	_, err := exec.LookPath(f.tool)
	return err != nil
}

func milliseconds(v float64) string { return duration(v / 1e3) }
func nanoseconds(v float64) string  { return duration(v / 1e9) }
func seconds(v float64) string      { return duration(v) }
func ratio(v float64) string        { return digits(v) }

// duration shows seconds in the unit that fits.
func duration(s float64) string {
	switch {
	case s < 1e-3:
		return digits(s*1e6) + " µs"
	case s < 1:
		return digits(s*1e3) + " ms"
	}
	return digits(s) + " s"
}

// digits shows two digits, or all before the point if there are more: no figure of a
// benchmark is better than that.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	places := 1 - int(math.Floor(math.Log10(math.Abs(v))))
	text := strconv.FormatFloat(v, 'f', max(places, 0), 64)
	if n, err := strconv.Atoi(text); err == nil && n >= 10_000 {
		return fmt.Sprintf("%d %03d", n/1000, n%1000)
	}
	return text
}
