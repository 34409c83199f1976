import TCPClient
import Testing
