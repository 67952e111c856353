internal import ControlPlane
internal import Proxy

extension Gateway: GatewayControl {}
