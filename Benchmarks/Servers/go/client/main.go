// `load` in Go, in the modes `chunk` and `hold`: a goroutine for each connection, one running thread. It takes the same
// options, and prints the same report.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	mode        = flag.String("mode", "chunk", "chunk or hold")
	port        = flag.Int("port", 0, "of the server")
	connections = flag.Int("connections", 1, "")
	size        = flag.Int("size", 64, "of a message, in bytes")
	_           = flag.Int("depth", 1, "no other")
	messages    = flag.Int("messages", 0, "as many as the seconds hold")
	seconds     = flag.Float64("seconds", 5, "")
	warmUp      = flag.Float64("warm-up", 1, "")
)

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(1)
	input := bufio.NewReader(os.Stdin)
	waitForWord := func() {
		fmt.Println("READY")
		if _, err := input.ReadString('\n'); err != nil {
			os.Exit(0)
		}
	}
	if *mode == "hold" {
		waitForWord()
		for _, c := range open() {
			go c.wait()
		}
		waitForWord()
		return
	}

	clients := open()
	exchange(clients, *warmUp, 0)
	if *messages > 0 {
		waitForWord()
		fmt.Println(exchange(clients, 0, *messages))
		input.ReadString('\n')
		return
	}
	fmt.Println(exchange(clients, *seconds, 0))
}

type client struct {
	net.Conn
	message []byte
}

// Few at a time, so that no listener's queue overflows, each with an echo.
func open() []*client {
	message := make([]byte, *size)
	for i := range message {
		message[i] = byte(i*31 + 7)
	}
	clients := make([]*client, *connections)
	var opening sync.WaitGroup
	places := make(chan struct{}, 64)
	for i := range clients {
		opening.Add(1)
		places <- struct{}{}
		go func(i int) {
			defer opening.Done()
			connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
			if err != nil {
				log.Fatal(err)
			}
			clients[i] = &client{connection, message}
			clients[i].echo(make([]byte, *size))
			<-places
		}(i)
	}
	opening.Wait()
	return clients
}

func (c *client) echo(reply []byte) {
	if _, err := c.Write(c.message); err != nil {
		log.Fatal(err)
	}
	if _, err := io.ReadFull(c, reply); err != nil {
		log.Fatal(err)
	}
	if !bytes.Equal(reply, c.message) {
		log.Fatal("what came back differs from what was sent")
	}
}

func (c *client) wait() {
	if _, err := c.Read(make([]byte, 64)); err != nil {
		log.Fatal(err)
	}
	log.Fatal("more came back than was sent")
}

// Has messages echoed on all connections for so many seconds, or so many of them, and reports.
func exchange(clients []*client, seconds float64, messages int) string {
	var running sync.WaitGroup
	var left, replies atomic.Int64
	left.Store(math.MaxInt64)
	if messages > 0 {
		left.Store(int64(messages))
	}
	start, before := time.Now(), usage()
	for _, c := range clients {
		running.Add(1)
		go func(c *client) {
			defer running.Done()
			reply := make([]byte, *size)
			for left.Add(-1) >= 0 {
				c.echo(reply)
				replies.Add(1)
			}
		}(c)
	}
	if messages > 0 {
		running.Wait()
	} else {
		time.Sleep(time.Duration(seconds * float64(time.Second)))
	}
	elapsed, after, count := time.Since(start).Seconds(), usage(), float64(replies.Load())
	left.Store(0)
	running.Wait()
	user, system := after[0]-before[0], after[1]-before[1]
	return fmt.Sprintf(`{"messages": %.0f, "seconds": %g, "messages_per_second": %g, "user_us_per_message": %g, `+
		`"system_us_per_message": %g, "resident_bytes": %d, "load_busy": %g}`, count, elapsed, count/elapsed,
		user*1e6/count, system*1e6/count, resident(), (user+system)/elapsed)
}

func usage() [2]float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return [2]float64{float64(usage.Utime.Nano()) / 1e9, float64(usage.Stime.Nano()) / 1e9}
}

func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	var total, pages int
	fmt.Fscan(strings.NewReader(string(text)), &total, &pages)
	return pages * os.Getpagesize()
}
