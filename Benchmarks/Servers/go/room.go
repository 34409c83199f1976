package main

import (
	"bufio"
	"bytes"
	"net"
	"sync"
)

// A chat without names: what one says goes to everybody. A channel for each member, and a goroutine that writes.
type room struct {
	mutex   sync.Mutex
	members map[*member]struct{}
}

type member struct {
	connection net.Conn
	said       chan []byte
}

func (r *room) chat(connection net.Conn) error {
	me := &member{connection, make(chan []byte, 1024)}
	r.join(me)
	defer r.leave(me)
	go me.tell()

	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return err
		}
		r.say(append(bytes.TrimRight(line, "\r\n"), '\n'))
	}
}

// Who falls behind by 1,024 lines has to go.
func (r *room) say(line []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for member := range r.members {
		select {
		case member.said <- line:
		default:
			member.connection.Close()
		}
	}
}

func (r *room) join(m *member) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.members == nil {
		r.members = make(map[*member]struct{})
	}
	r.members[m] = struct{}{}
}

func (r *room) leave(m *member) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.members, m)
	close(m.said)
}

// One system call tells all that there is to tell.
func (m *member) tell() {
	writer := bufio.NewWriter(m.connection)
	writer.WriteString("welcome\n")
	err := writer.Flush()
	for line := range m.said {
		if err != nil {
			continue // until the reader has noticed, too
		}
		writer.Write(line)
		if len(m.said) == 0 {
			err = writer.Flush()
		}
	}
}
