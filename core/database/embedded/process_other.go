//go:build !linux

package embedded

import (
	"errors"
	"os/exec"
)

// Only Linux ends a child together with its parent; elsewhere findProgram says
// no before a process is ever started.
const supported = false

type process struct {
	done chan struct{}
	err  error
}

func startProcess(*exec.Cmd) (*process, error) { return nil, errors.ErrUnsupported }

func (p *process) terminate()   {}
func (p *process) kill()        {}
func (p *process) killed() bool { return false }
