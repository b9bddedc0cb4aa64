package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "write docs/licences.md anew")

// licences are those that agree with Apache-2.0, by words that only they have.
var licences = []struct{ name, words string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"BSD-3-Clause", "neither the name of"},
	{"BSD-2-Clause", "redistributions in binary form must reproduce"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software"},
	{"ISC", "permission to use, copy, modify, and distribute this software"},
	{"Unlicense", "this is free and unencumbered software"},
	{"CC0-1.0", "cc0 1.0 universal"},
	{"MIT", "permission is hereby granted, free of charge"},
}

// TestEveryModuleHasAKnownLicence finds the licence of each module that is linked
// into the program on some system, and compares docs/licences.md with what it finds.
// `go test . -run Licence -update` writes it anew.
func TestEveryModuleHasAKnownLicence(t *testing.T) {
	const name = "docs/licences.md"
	found := map[string]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		for path, m := range modules(t, system) {
			licence, err := licenceOf(m.Dir)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			found[fmt.Sprintf("| %s | %s | %s |\n", path, m.Version, licence)] = path
		}
	}
	want := bytes.NewBufferString(licencesHead)
	for _, line := range slices.SortedFunc(maps.Keys(found), func(a, b string) int { return strings.Compare(found[a], found[b]) }) {
		want.WriteString(line)
	}
	if *rewrite {
		if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Errorf("%s is out of date: go test . -run Licence -update", name)
	}
}

const licencesHead = `# Licences of what Moult is made with

Written by a test (` + "`licences_test.go`" + `), which fails when a module has no licence that agrees with Apache-2.0. These are
the modules that are linked into the program on Linux, macOS or Windows; the packages carry their texts.

| module | version | licence |
|---|---|---|
`

type module struct{ Path, Version, Dir string }

// modules are the modules that the program is made of on a system, but for our own.
func modules(t *testing.T, system string) map[string]module {
	cmd := exec.Command("go", "list", "-deps", "-json=Module", ".")
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v", system, err)
	}
	all := map[string]module{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && p.Module.Version != "" {
			all[p.Module.Path] = *p.Module
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d modules were found for %s", len(all), system)
	}
	return all
}

// licenceOf tells the licence of a module from the text in its directory.
func licenceOf(dir string) (string, error) {
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "License*", "license*", "COPYING*", "UNLICENSE*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			words := strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(string(text), ",", " ")), " "))
			for _, l := range licences {
				if strings.Contains(words, strings.ReplaceAll(l.words, ",", "")) {
					return l.name, nil
				}
			}
		}
	}
	return "", errors.New("has no licence that is known here")
}
