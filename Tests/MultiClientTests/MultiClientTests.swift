import MultiClient
import Testing
