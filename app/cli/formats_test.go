package cli

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"moult/core/archive"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// TestFormatsAreDocumented reads the examples of docs/formats.md as the real files
// are read. Every key that the code knows must be in them.
func TestFormatsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?ms)^```(toml|json)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	if len(blocks["toml"]) != 1 || len(blocks["json"]) != 2 {
		t.Fatalf("%d examples of TOML and %d of JSON, want 1 and 2", len(blocks["toml"]), len(blocks["json"]))
	}

	cfg, err := site.ParseConfig([]byte(blocks["toml"][0]))
	if err != nil {
		t.Fatal(err)
	}
	complete(t, "site.toml", reflect.ValueOf(cfg))

	m, err := release.ParseManifest([]byte(blocks["json"][0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Legacy = true // is no key: it says that newer ones are absent
	if strings.Contains(string(text), "`arch_files`") {
		m.Moult.ArchFiles = map[release.Arch][]release.File{} // can't stand beside files, so a sentence tells of it
	}
	complete(t, "manifest", reflect.ValueOf(*m))

	info, err := archive.ParsePackageInfo([]byte(blocks["json"][1]))
	if err != nil {
		t.Fatal(err)
	}
	complete(t, "package.json", reflect.ValueOf(*info))

	for _, v := range []any{site.State{}, checkDoc{}, planDoc{}, fileDoc{}, update.Record{}, errorDoc{}} {
		for _, key := range jsonKeys(reflect.TypeOf(v)) {
			if !strings.Contains(string(text), "`"+key+"`") {
				t.Errorf("%T has the key %s, which is not in docs/formats.md", v, key)
			}
		}
	}
}

// complete fails for each field of a struct below v that no value of that type sets.
func complete(t *testing.T, format string, v reflect.Value) {
	t.Helper()
	set := map[string]bool{}
	see(v, set)
	for field, is := range set {
		if !is {
			t.Errorf("the example of %s leaves out %s", format, field)
		}
	}
}

// see notes for each field of the structs below v whether it is set somewhere.
func see(v reflect.Value, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		see(v.Elem(), set)
	case reflect.Slice:
		for i := range v.Len() {
			see(v.Index(i), set)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			see(v.MapIndex(key), set)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && strings.HasPrefix(v.Type().PkgPath(), "moult/") {
				name := v.Type().String() + "." + f.Name
				set[name] = set[name] || !v.Field(i).IsZero()
				see(v.Field(i), set)
			}
		}
	}
}

// jsonKeys are the keys of a struct as JSON writes them.
func jsonKeys(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			keys = append(keys, jsonKeys(f.Type)...)
		case name != "" && name != "-":
			keys = append(keys, name)
		}
	}
	return keys
}
