//go:build headless

package main

import "errors"

const hasWindow = false

func openWindow([]string) error { return errors.New("this build of Moult has no window") }
