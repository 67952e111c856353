package import Proxy

extension Gateway: GatewayControl {}
