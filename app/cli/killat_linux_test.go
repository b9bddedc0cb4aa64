package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// killAt is a program of its own, as a tracer must be: killat [CALL:]N PROGRAM ARGS…
//
// It runs the program and kills it with SIGKILL as it is about to make its N-th
// call that changes something: a file, a directory, or what a server is told over a
// socket; with CALL, as in renameat2:3, the N-th of these calls alone. With N = 0 the
// program runs to its end. The last line on standard error says what happened:
// "killat: killed before COUNT CALL TARGET" or "killat: ended after COUNT calls,
// exit CODE".
func killAt() {
	only, number, found := strings.Cut(os.Args[1], ":")
	if !found {
		only, number = "", os.Args[1]
	}
	n, err := strconv.Atoi(number)
	if err != nil || len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "killat: usage: killat [CALL:]N PROGRAM ARGS…")
		os.Exit(2)
	}
	runtime.LockOSThread()
	outcome, err := trace(only, n, os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "killat: cannot trace:", err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "killat:", outcome)
}

// changing are the system calls that change something, by number. Where a
// descriptor is given, the position of its argument follows.
var changing = map[uint64]struct {
	name string
	fd   int // -1: none
}{
	unix.SYS_WRITE:           {"write", 0},
	unix.SYS_PWRITE64:        {"pwrite64", 0},
	unix.SYS_WRITEV:          {"writev", 0},
	unix.SYS_FTRUNCATE:       {"ftruncate", 0},
	unix.SYS_FALLOCATE:       {"fallocate", 0},
	unix.SYS_COPY_FILE_RANGE: {"copy_file_range", 2},
	unix.SYS_FSYNC:           {"fsync", 0},
	unix.SYS_FDATASYNC:       {"fdatasync", 0},
	unix.SYS_SYNCFS:          {"syncfs", 0},
	unix.SYS_FCHMOD:          {"fchmod", 0},
	unix.SYS_FCHMODAT:        {"fchmodat", -1},
	unix.SYS_FCHOWN:          {"fchown", 0},
	unix.SYS_FCHOWNAT:        {"fchownat", -1},
	unix.SYS_UTIMENSAT:       {"utimensat", -1},
	unix.SYS_MKDIRAT:         {"mkdirat", -1},
	unix.SYS_UNLINKAT:        {"unlinkat", -1},
	unix.SYS_LINKAT:          {"linkat", -1},
	unix.SYS_SYMLINKAT:       {"symlinkat", -1},
	unix.SYS_RENAMEAT:        {"renameat", -1},
	unix.SYS_RENAMEAT2:       {"renameat2", -1},
	unix.SYS_FSETXATTR:       {"fsetxattr", 0},
	unix.SYS_SENDTO:          {"sendto", 0},
	unix.SYS_SENDMSG:         {"sendmsg", 0},
}

// trace runs the program and kills it before its n-th changing call of the name.
func trace(only string, n int, args []string) (outcome string, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	pid := cmd.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		return "", err
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		return "", err
	}
	if err := syscall.PtraceSyscall(pid, 0); err != nil {
		return "", err
	}
	count, killed := 0, ""
	for {
		tid, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return "", err
		case tid == pid && (status.Exited() || status.Signaled()):
			if killed != "" {
				return killed, nil
			}
			return fmt.Sprintf("ended after %d calls, exit %d", count, status.ExitStatus()), nil
		case !status.Stopped():
			continue
		}
		signal := 0
		switch stop := status.StopSignal(); {
		case stop == syscall.SIGTRAP|0x80:
			call, ok := entered(tid)
			if !ok {
				break
			}
			target, ok := call.changes(pid)
			if !ok || only != "" && changing[call.number].name != only {
				break
			}
			count++
			if count == n && killed == "" {
				killed = fmt.Sprintf("killed before %d %s %s", count, changing[call.number].name, target)
				syscall.Kill(pid, syscall.SIGKILL)
				continue
			}
		case stop == syscall.SIGTRAP || stop == syscall.SIGSTOP:
			// The stop of a new thread, or the event that announces it.
		default:
			signal = int(stop) // the program's own, as Go's preemption
		}
		if err := syscall.PtraceSyscall(tid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return "", err
		}
	}
}

// call is the answer of PTRACE_GET_SYSCALL_INFO, as linux/ptrace.h lays it out.
type call struct {
	op     uint8
	_      [3]byte
	_      uint32 // architecture
	_, _   uint64 // instruction and stack pointers
	number uint64
	args   [6]uint64
	_      [2]uint64
}

// entered returns the call that a stopped thread is about to make.
func entered(tid int) (call, bool) {
	const getSyscallInfo, entry = 0x420e, 1
	var c call
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(c), uintptr(unsafe.Pointer(&c)), 0, 0)
	return c, errno == 0 && c.op == entry
}

// changes reports whether the call changes a file or tells a server something,
// and which.
func (c call) changes(pid int) (target string, ok bool) {
	known, ok := changing[c.number]
	if !ok || known.fd < 0 {
		return "", ok
	}
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, c.args[known.fd]))
	if err != nil {
		return "", false
	}
	file := strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "/dev/")
	return target, file || strings.HasPrefix(target, "socket:")
}
