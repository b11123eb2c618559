package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// addrOf is the host and port of a URL.
func addrOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

// tellRedis sends one command without arguments and reads the first line of its answer.
func tellRedis(address, command string) error {
	addr, err := addrOf(address)
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp4", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && strings.HasPrefix(line, "-") {
		err = errors.New(strings.TrimSpace(line))
	}
	return err
}
