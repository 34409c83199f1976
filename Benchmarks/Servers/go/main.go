// Go: a goroutine per connection, one running thread.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"runtime"
	"strings"
)

func main() {
	port := flag.Int("port", 0, "port to listen on")
	flag.Parse()
	serve, known := map[string]func(net.Conn) error{
		"chunk": echo, "line": echoLines, "lineBytes": echoByteLines, "block": echoBlocks, "sink": sink,
		"fanout": new(room).chat,
	}[flag.Arg(0)]
	if !known {
		log.Fatal("usage: go-server --port N chunk|line|lineBytes|block|sink|fanout")
	}

	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready", listener.Addr().(*net.TCPAddr).Port)

	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer connection.Close()
			serve(connection) // an error, or the end of the input, ends this connection only
		}()
	}
}

func echo(connection net.Conn) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return err
		}
		if _, err := connection.Write(buffer[:n]); err != nil {
			return err
		}
	}
}

func echoLines(connection net.Conn) error {
	reader, writer := bufio.NewReader(connection), bufio.NewWriter(connection)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return err
		}
		writer.WriteString(strings.TrimRight(line, "\r\n"))
		writer.WriteByte('\n')
		if err := flushUnlessMore(reader, writer); err != nil {
			return err
		}
	}
}

func echoByteLines(connection net.Conn) error {
	reader, writer := bufio.NewReaderSize(connection, 64<<10), bufio.NewWriter(connection)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		writer.Write(bytes.TrimRight(line, "\r\n"))
		writer.WriteByte('\n')
		if err := flushUnlessMore(reader, writer); err != nil {
			return err
		}
	}
}

const longestBlock = 1 << 20

func echoBlocks(connection net.Conn) error {
	reader, writer := bufio.NewReaderSize(connection, 64<<10), bufio.NewWriter(connection)
	block := make([]byte, 0, 4096)
	for {
		header, err := reader.Peek(4)
		if err != nil {
			return err
		}
		length := int(binary.BigEndian.Uint32(header))
		if length > longestBlock {
			return errors.New("the block is too long")
		}
		if cap(block) < 4+length {
			block = make([]byte, 0, 4+length)
		}
		if _, err := io.ReadFull(reader, block[:4+length]); err != nil {
			return err
		}
		writer.Write(block[:4+length])
		if waiting, _ := reader.Peek(reader.Buffered()); len(waiting) >= 4 &&
			len(waiting)-4 >= int(binary.BigEndian.Uint32(waiting)) {
			continue
		}
		if err := writer.Flush(); err != nil {
			return err
		}
	}
}

// One system call answers all the lines that came together.
func flushUnlessMore(reader *bufio.Reader, writer *bufio.Writer) error {
	waiting, _ := reader.Peek(reader.Buffered())
	if bytes.IndexByte(waiting, '\n') >= 0 {
		return nil
	}
	return writer.Flush()
}

func sink(connection net.Conn) error {
	buffer := make([]byte, 64<<10)
	total := 0
	for {
		n, err := connection.Read(buffer)
		total += n
		if err != nil {
			_, err = fmt.Fprintln(connection, total)
			return err
		}
	}
}
