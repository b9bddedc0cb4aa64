// Moult keeps self-hosted sites up to date: their files and their database
// together, and back again.
//
// Without arguments it opens its window; `moult help` lists the commands. Built
// with the tag headless it has no window and needs no C library.
package main

import (
	"os"
	"path/filepath"
	"runtime/debug"

	"moult/app/cli"
	"moult/app/hush"
)

// version is set by the linker when a release is built.
var version string

func main() {
	hush.Over()
	p := &cli.Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: version}
	if hasWindow {
		p.OpenWindow = func(sites []string) error {
			if cache, err := os.UserCacheDir(); err == nil {
				defer logCrashes(filepath.Join(cache, "moult"))()
			}
			return openWindow(sites)
		}
	}
	os.Exit(p.Run(os.Args[1:]))
}

// Names of what a crash of the window leaves, below the user's cache directory.
const (
	crashFile     = "crash.log"
	lastCrashFile = "crash-last.log" // of an earlier start, to be read
)

// logCrashes has a crash written to a file in dir as well, since a window is often
// started without a terminal. What an earlier start has left is put aside. The
// function it returns removes the file of a start that did not crash.
func logCrashes(dir string) (end func()) {
	name := filepath.Join(dir, crashFile)
	os.MkdirAll(dir, 0o700)
	if info, err := os.Stat(name); err == nil && info.Size() > 0 {
		os.Rename(name, filepath.Join(dir, lastCrashFile))
	}
	f, err := os.Create(name)
	if err != nil {
		return func() {}
	}
	debug.SetCrashOutput(f, debug.CrashOptions{})
	f.Close()
	return func() {
		debug.SetCrashOutput(nil, debug.CrashOptions{})
		os.Remove(name)
	}
}
