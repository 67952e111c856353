internal import ControlPlane
internal import DataPlane

extension Gateway: GatewayControl {}
