package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// machine describes what the figures were taken on, in a sentence.
func machine(now time.Time) string {
	parts := []string{fmt.Sprintf("%d × %s", runtime.NumCPU(), processor())}
	if kb := field("/proc/meminfo", `MemTotal:\s+(\d+) kB`); kb != "" {
		var n int64
		fmt.Sscan(kb, &n)
		parts = append(parts, fmt.Sprintf("%d GB of memory", (n+500_000)/1_000_000))
	}
	if out, err := exec.Command("df", "--output=fstype", os.TempDir()).Output(); err == nil {
		_, kind, _ := strings.Cut(string(out), "\n")
		parts = append(parts, strings.TrimSpace(kind))
	}
	if v := field("/proc/sys/kernel/osrelease", `^(\d+\.\d+)`); v != "" {
		parts = append(parts, "Linux "+v)
	}
	parts = append(parts, strings.Replace(runtime.Version(), "go", "Go ", 1))
	if load := field("/proc/loadavg", `^(\S+)`); load != "" {
		parts = append(parts, "load at the end "+load)
	}
	return fmt.Sprintf("Taken on %s on %s.", now.UTC().Format("2 January 2006"), strings.Join(parts, ", "))
}

func processor() string {
	if name := field("/proc/cpuinfo", `(?m)^model name\s*:\s*(.+)$`); name != "" {
		return name
	}
	return runtime.GOARCH
}

// field returns what a pattern finds in a file of the system, "" for nothing.
func field(name, pattern string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		return ""
	}
	return string(m[1])
}
