package abuse

import "slices"

func allBehaviours() []behaviour {
	return slices.Concat(slowWriters(), floods(), deafSubscribers(), connectStorms(), takeovers(), litter(), churn())
}
