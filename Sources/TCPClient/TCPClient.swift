@_exported public import AsyncSockets
@_exported public import Framing
