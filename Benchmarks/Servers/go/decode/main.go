// Line decoding without sockets: bufio.Scanner over a reader that hands out chunks.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const line, input = 64, 1 << 20

// Endless lines, at most a chunk a read.
type chunks struct {
	data []byte
	size int
	at   int
}

func (c *chunks) Read(buffer []byte) (int, error) {
	n := copy(buffer, c.data[c.at:min(c.at+c.size, input)])
	c.at = (c.at + n) % input
	return n, nil
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func processorTime() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return (time.Duration(usage.Utime.Nano()) + time.Duration(usage.Stime.Nano())).Seconds()
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: decode lines|lineBytes CHUNK SECONDS")
	}
	size, _ := strconv.Atoi(os.Args[2])
	seconds, _ := strconv.ParseFloat(os.Args[3], 64)
	data := []byte(strings.Repeat(strings.Repeat("x", line-1)+"\n", input/line))
	scanner := bufio.NewScanner(&chunks{data: data, size: size})
	scanner.Buffer(make([]byte, size), size)

	lines, bytes, elapsed := 0, 0, 0.0
	for start := processorTime(); elapsed < seconds; elapsed = processorTime() - start {
		for i := 0; i < input/line && scanner.Scan(); i++ {
			if os.Args[1] == "lines" {
				bytes += len(scanner.Text())
			} else {
				bytes += len(scanner.Bytes())
			}
			lines++
		}
	}
	if lines == 0 || bytes != lines*(line-1) {
		log.Fatal("lines are missing: ", scanner.Err())
	}
	fmt.Printf("{\"megabytes_per_second\": %.1f, \"ns_per_message\": %.3f}\n",
		float64(lines*line)/elapsed/1e6, elapsed*1e9/float64(lines))
}
