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

// killAt is a program of its own, as a tracer must be: killat [CALL:]N[+] PROGRAM ARGS…
//
// It runs the program, which has to call [stopAtChanges], and kills it with SIGKILL
// as it is about to make its N-th call that changes something: a file, a directory,
// or what a server is told over a socket; with CALL, as in renameat2:3, the N-th of
// these calls alone; with + just after it. With N = 0 the program runs to its end.
// The last line on standard error says what happened: "killat: killed before COUNT
// CALL TARGET", the same with after, or "killat: ended after COUNT calls, exit CODE".
// What is killed after it has told a server something leaves the server at work.
func killAt() {
	only, number, found := strings.Cut(os.Args[1], ":")
	if !found {
		only, number = "", os.Args[1]
	}
	number, after := strings.CutSuffix(number, "+")
	n, err := strconv.Atoi(number)
	if err != nil || len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "killat: usage: killat [CALL:]N[+] PROGRAM ARGS…")
		os.Exit(2)
	}
	runtime.LockOSThread()
	outcome, err := trace(point{only, n, after}, os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "killat: cannot trace:", err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "killat:", outcome)
}

// point is where the program is killed.
type point struct {
	only  string // the call that counts; "": each that changes something
	n     int
	after bool // not before the call but after it
}

// traced is the variable that tells a program to call the tracer at changes.
const traced = "KILLAT"

// stopAtChanges has the kernel call the tracer, if there is one, at each of the
// changing calls of this process and of no other call, which makes a traced run
// nearly as fast as any.
func stopAtChanges() {
	if os.Getenv(traced) == "" {
		return
	}
	load := unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS} // the number of the call
	program := []unix.SockFilter{load}
	for number := range changing {
		left := len(changing) - len(program) // comparisons after this one
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(left + 1), K: uint32(number)})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_TRACE})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// Filters are for processes that can't gain rights any more. With TSYNC all
	// threads get both from this one (seccomp(2)).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, _, errno := syscall.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno == 0 {
		_, _, errno = syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter)))
	}
	if errno != 0 {
		fmt.Fprintln(os.Stderr, "killat: cannot trace:", errno)
		os.Exit(2)
	}
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

// trace runs the program and kills it at the point.
func trace(p point, args []string) (outcome string, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), traced+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	pid := cmd.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		return "", err
	}
	// What the program starts is traced too, since it inherits the filter, but its
	// calls are its own.
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACECLONE |
		unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		return "", err
	}
	if err := syscall.PtraceCont(pid, 0); err != nil {
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
		signal, resume := 0, syscall.PtraceCont
		switch stop := status.StopSignal(); {
		case stop == syscall.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
			call, target, ok := entered(pid, tid)
			if !ok || p.only != "" && changing[call.number].name != p.only {
				break
			}
			count++
			if count != p.n || killed != "" {
				break
			}
			when := "before"
			if p.after {
				when, resume = "after", syscall.PtraceSyscall // stops again as the call returns
			} else {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			killed = fmt.Sprintf("killed %s %d %s %s", when, count, changing[call.number].name, target)
		case stop == syscall.SIGTRAP|0x80: // the call after which to kill has returned
			syscall.Kill(pid, syscall.SIGKILL)
		case stop == syscall.SIGTRAP || stop == syscall.SIGSTOP:
			// The stop of a new thread or process, or the event that announces it.
		default:
			signal = int(stop) // the program's own, as Go's preemption
		}
		if err := resume(tid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
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

// entered returns the call that a stopped thread of the program is about to make,
// and what it changes: a file, or what a server knows.
func entered(pid, tid int) (c call, target string, ok bool) {
	const getSyscallInfo, atFilter = 0x420e, 3
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(c), uintptr(unsafe.Pointer(&c)), 0, 0)
	if errno != 0 || c.op != atFilter {
		return c, "", false
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", pid, tid)); err != nil {
		return c, "", false // of a process that the program has started
	}
	known := changing[c.number]
	if known.fd < 0 {
		return c, "", true
	}
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, c.args[known.fd]))
	if err != nil {
		return c, "", false
	}
	file := strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "/dev/")
	return c, target, file || strings.HasPrefix(target, "socket:")
}
